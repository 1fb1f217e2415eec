package operation

import "net/http"

// All returns every operation, in the order of the documentation.
func All() []Operation {
	get, put, post, del := http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	const (
		tenant  = "/tenants/{tenant}"
		folder  = tenant + "/folders/{folder}"
		mailbox = tenant + "/mailboxes/{mailbox}"
		mail    = tenant + "/mails/{mail}"
		dead    = tenant + "/dead/{letter}"
		person  = "/accounts/{account}"
	)
	return []Operation{
		define("tenant.list", AccessSignedIn, get, "/tenants", "List tenants", (*Desk).ListTenants),
		define("tenant.get", AccessRead, get, tenant, "Read a tenant and its parameters", (*Desk).GetTenant),
		define("tenant.put", AccessLandlord, put, tenant, "Create or replace a tenant", (*Desk).PutTenant),
		define("tenant.delete", AccessLandlord, del, tenant, "Delete a tenant and destroy its key", (*Desk).DeleteTenant),
		define("tenant.generate-key", AccessLandlord, post, tenant+"/key/generate", "Generate the Tenant Encryption Key", (*Desk).GenerateKey),
		define("tenant.supply-key", AccessLandlord, put, tenant+"/key", "Supply a Tenant Encryption Key of your own", (*Desk).SupplyKey),
		define("tenant.rotate-key", AccessLandlord, post, tenant+"/key/rotate", "Rotate the Tenant Encryption Key", (*Desk).RotateKey),

		define("folder.list", AccessRead, get, tenant+"/folders", "List folders", (*Desk).ListFolders),
		define("folder.get", AccessRead, get, folder, "Read a folder", (*Desk).GetFolder),
		define("folder.put", AccessWrite, put, folder, "Create or replace a folder", (*Desk).PutFolder),
		define("folder.delete", AccessWrite, del, folder, "Delete a folder", (*Desk).DeleteFolder),

		define("mailbox.list", AccessRead, get, tenant+"/mailboxes", "List mailboxes with their states", (*Desk).ListMailboxes),
		define("mailbox.get", AccessRead, get, mailbox, "Read a mailbox", (*Desk).GetMailbox),
		define("mailbox.put", AccessWrite, put, mailbox, "Create or replace a mailbox", (*Desk).PutMailbox),
		define("mailbox.delete", AccessWrite, del, mailbox, "Delete a mailbox", (*Desk).DeleteMailbox),
		define("mailbox.set-password", AccessWrite, put, mailbox+"/password", "Set a mailbox's password", (*Desk).SetPassword),
		define("mailbox.enable", AccessWrite, post, mailbox+"/enable", "Enable a mailbox", (*Desk).EnableMailbox),
		define("mailbox.disable", AccessWrite, post, mailbox+"/disable", "Disable a mailbox", (*Desk).DisableMailbox),
		examining(define("mailbox.bulk", AccessWrite, post, tenant+"/bulk", "Enable, disable, test or delete many mailboxes", (*Desk).BulkMailboxes)),
		define("mailbox.check", AccessWrite, post, mailbox+"/check", "Say what is wrong with values that are not saved", (*Desk).CheckMailbox),
		define("mailbox.facts", AccessRead, get, mailbox+"/facts", "Read what is known of a mailbox at run time", (*Desk).MailboxFacts),
		define("mailbox.deletion", AccessRead, get, mailbox+"/deletion", "Say what the deletion of a mailbox would mean", (*Desk).Deletion),
		define("mailbox.history", AccessRead, get, mailbox+"/history", "List the states that a mailbox went through", (*Desk).ListHistory),
		define("mailbox.protocol", AccessWrite, get, mailbox+"/protocol", "Read the protocol log of a mailbox", (*Desk).GetProtocol),
		define("mailbox.switch-protocol", AccessWrite, post, mailbox+"/protocol", "Switch the protocol log of a mailbox on for a while, or off", (*Desk).SwitchProtocol),
		followed(define("mailbox.test", AccessWrite, post, mailbox+"/test", "Examine the servers of a saved mailbox", (*Desk).TestMailbox), (*Desk).FollowTest),
		define("mailbox.states", AccessRead, get, tenant+"/states", "List the states of the mailboxes", (*Desk).ListStates),

		followed(define("doctor.run", AccessWrite, post, tenant+"/doctor", "Examine the servers of a mailbox that need not be saved", (*Desk).RunDoctor), (*Desk).FollowDoctor),
		examining(define("doctor.dry-run", AccessWrite, post, tenant+"/dry-run", "Say where the newest 50 mails would go", (*Desk).DryRunMailbox)),
		examining(define("doctor.folders", AccessWrite, post, tenant+"/server-folders", "List the folders on the mail server", (*Desk).ListServerFolders)),
		examining(define("doctor.recognise", AccessWrite, get, tenant+"/recognise", "Find the mail servers of an address", (*Desk).RecogniseProvider)),

		define("routing.simulate", AccessRead, post, tenant+"/simulate", "Say where a mail would go, and why", (*Desk).Simulate),
		define("routing.unmatched", AccessRead, get, tenant+"/unmatched", "List addresses that were seen lately and match no folder", (*Desk).ListUnmatched),

		define("mail.list", AccessRead, get, tenant+"/mails", "Search the ledger of mails", (*Desk).ListMails),
		define("mail.get", AccessRead, get, mail, "Read a mail, its way and why it is where it is", (*Desk).GetMail),
		file(define("mail.raw", AccessRead, get, mail+"/raw", "Download a mail as the server gave it", (*Desk).GetRawMail)),
		file(define("mail.attachment", AccessRead, get, mail+"/attachments/{position}", "Download an attachment", (*Desk).GetAttachment)),
		define("mail.throughput", AccessRead, get, tenant+"/throughput", "Read how much mail came, and how fast", (*Desk).GetThroughput),

		define("dead.list", AccessRead, get, tenant+"/dead", "List dead letters", (*Desk).ListDeadLetters),
		define("dead.get", AccessRead, get, dead, "Read a dead letter", (*Desk).GetDeadLetter),
		define("dead.replay", AccessWrite, post, dead+"/replay", "Replay a dead letter", (*Desk).ReplayDeadLetter),
		define("dead.drop", AccessWrite, del, dead, "Delete a dead letter", (*Desk).DropDeadLetter),

		define("account.self", AccessSignedIn, get, "/self", "Read who you are and what you may do", (*Desk).GetSelf),
		define("account.list", AccessSignedIn, get, "/accounts", "List accounts", (*Desk).ListAccounts),
		define("account.get", AccessSignedIn, get, person, "Read an account", (*Desk).GetAccount),
		define("account.put", AccessSignedIn, put, person, "Create or change an account", (*Desk).PutAccount),
		define("account.delete", AccessSignedIn, del, person, "Delete an account", (*Desk).DeleteAccount),
		define("account.invite", AccessSignedIn, post, person+"/link", "Make a one-time link to set a password", (*Desk).InviteAccount),
		define("session.list", AccessSignedIn, get, person+"/sessions", "List the sessions of an account", (*Desk).ListSessions),
		define("session.revoke", AccessSignedIn, del, "/sessions/{session}", "End a session", (*Desk).RevokeSession),
		define("token.list", AccessSignedIn, get, person+"/tokens", "List the API tokens of an account", (*Desk).ListTokens),
		define("token.create", AccessSignedIn, post, "/tokens", "Make an API token", (*Desk).CreateToken),
		define("token.revoke", AccessSignedIn, del, "/tokens/{token}", "Revoke an API token", (*Desk).RevokeToken),

		define("audit.list", AccessSignedIn, get, "/audit", "Read who did what, when and from where", (*Desk).ListAudit),
		define("system.get", AccessLandlord, get, "/system", "Read which services run and what waits between them", (*Desk).GetSystem),
	}
}

// file marks an operation whose answer is a File.
func file(o Operation) Operation {
	o.Bytes = true
	return o
}

// examining marks an operation that speaks with servers of others.
func examining(o Operation) Operation {
	o.Examines = true
	return o
}
