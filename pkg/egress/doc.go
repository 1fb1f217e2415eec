// Package egress decides where connections to mail hosts may go, and makes
// them: the host names that tenants type must not open ways into the landlord's
// networks. A name is resolved once, every address is checked, and a checked
// address itself is dialled, so that DNS that answers otherwise the next time
// changes nothing.
//
// What is said over a connection does not belong here, nor which hosts may be
// spoken to in clear text.
package egress
