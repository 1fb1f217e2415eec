// Package console is what administrators see in a browser: pages rendered here
// from html/template, made quick by htmx, with a little JavaScript of our own
// (assets/app.js) and no other host involved. Everything is embedded.
//
// A page asks and changes through the methods of operation.Desk, with the actor
// who is signed in; it never touches a store. What the actor may do is decided
// there; a page only leaves out what would be refused.
//
// # Adding a page
//
// A group of pages is one Go file (or a few) with its routes, listed in
// console.routes, and one file in templates:
//
//	func (c *console) folderRoutes() []route {
//		return []route{
//			{pattern: "GET /t/{tenant}/folders", handle: c.folders},
//			{pattern: "POST /t/{tenant}/folders", handle: c.createFolder},
//		}
//	}
//
//	func (c *console) folders(r *request) error {
//		list, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant(), Search: r.FormValue("q")})
//		if err != nil {
//			return err
//		}
//		return r.page("folders", page{Title: "Folders", Section: sectionRouting, Tabs: r.routingTabs("folders")}, foldersView{…})
//	}
//
// A route needs a session unless its access is anyone; landlord hides it from
// everybody else. Below /t/{tenant}/ the tenant is looked up first (r.tenant):
// one that the actor must not see answers as one that does not exist. r.path
// makes paths of that tenant, joinPath others; both escape. The form is parsed
// already (r.PostFormValue, r.FormValue); a route that takes files sets limit
// and calls r.ParseMultipartForm itself.
//
// Templates have names that are unique in the package: {{define "folders"}} for
// the page, {{define "folders-rows"}} for a part of it. Every template gets one
// view struct, made in Go; components come from components.html and form.html
// ({{template "badge" .State}}, {{template "field" .Name}}), with the types in
// component.go and form.go. No style attribute, no <style>, no inline script, no
// on… attribute: the Content Security Policy forbids them, and a test walks all
// templates.
//
// # Answers
//
// r.page answers with a whole page, r.part with a part for htmx, r.redirect with
// another page after a form (303, or HX-Redirect). An error that a handler
// returns becomes a page, or for htmx and streams a toast; operation.Problem
// says its status and text. What is not a known error is logged with a
// reference, which is all that the browser is told. r.download sends a file that
// is saved and never shown, r.framed a document for a sandboxed frame
// (<iframe class="frame" sandbox src="…">).
//
// Ids are chosen by people. Where a fixed word would stand beside them in a path,
// put the id behind a word of its own ("/accounts/at/{account}"), or the word
// elsewhere ("/t/{tenant}/new-mailbox"); a test finds what does neither.
//
// # Forms and their problems
//
// Build a form with its fieldsets and fields; name fields as the paths of the
// document ("imap.port"). When an operation refuses the input, show the form
// again, with what was typed:
//
//	if err != nil {
//		if !form.refuse(err) {
//			return err // no fault of the input
//		}
//		r.invalid() // 422
//		return r.page(…)
//	}
//
// refuse puts every problem beside its field, the rest on top. A form with
// Guard warns before unsaved changes are lost. Revision travels in the hidden
// field "revision"; r.based makes the operation's Condition of it. A size field
// (widgetSize) is read by formSize.
//
// # Messages and confirmations
//
// r.tell(toneOK, "Folder %s is saved.", name) shows a toast: on the page, with
// the part, or on the next page after r.redirect. What belongs to the page and
// stays is a notice; where there is nothing, an empty says what to do next.
//
// What cannot be undone is confirmed in a dialog that names what will happen.
// One that is known when the page is rendered stands on it: {{template "confirm"
// .Delete}}, opened by an action with Dialog. One that depends on what is chosen
// is loaded: an action with Load gets it from a route that answers
// r.part("confirm", confirm{Open: true, …}). With Typed, the name has to be typed;
// the route checks r.typed(name) again.
//
// # Tables
//
// <div class="table-wrap cards"><table class="table"> with {{template "columns"
// .Columns}} in its thead (sortable makes the columns), cells with data-label for
// narrow screens (there rows become cards: the first cell is a th scope=row),
// {{template "pager" .Pager}} below. Rows are selected by
// <input type="checkbox" name="id" data-row value="…" aria-label="…"> in a
// <td class="check">, all of the page by one with data-rows in the head; form and
// {{template "selection" .Selection}} around them keep the selection over pages
// and refreshes, and load the dialogs of bulk actions with the values id… or
// all=1 and the filters. A table refreshes itself as an element with data-live,
// hx-get, hx-trigger="every 5s" and hx-swap="morph", which changes what is there
// in place: the focus, a selection, an open menu and what was typed stay. Its rows
// have ids. What the browser alone knows, an element names in data-keep: its
// attributes, or with no name all that is in it.
//
// # Plots
//
// {{template "plot" .Throughput}} draws a plot of plot.go, with axes, a title for
// screen readers, and its figures in a table.
//
// # Streams
//
// A form with data-stream="#steps" is sent by fetch; its answer comes piece by
// piece and goes into #steps, an element in the place of the one with the same
// id, others at the end (or in what their data-into names). data-source="#form"
// adds the values of another form, data-cancel="#stop" names a button that
// aborts. The handler:
//
//	s := r.stream()
//	report, err := r.desk.FollowDoctor(r.Context(), r.actor, in, func(st doctor.Step) {
//		_ = s.send("step", stepOf(st)) // the context ends when the browser is gone
//	})
//	if err != nil {
//		return s.fail(err)
//	}
//	return s.send("doctor-end", …)
//
// # Attributes of app.js
//
//	data-opens="id"       opens that dialog
//	data-close            closes the dialog around it
//	data-modal            a loaded dialog: opens by itself
//	data-copy             copies the pre, code or input beside it
//	data-size             shows the bytes of a size while one types
//	data-typed="text"     its form can be sent when this is typed
//	data-submit           sends its form when it changes (filters)
//	data-search           gets the focus by /
//	data-key="n"          pressed by that key; "g m" by two
//	data-guard            see Forms
//	data-menu             a details that closes by itself
//	data-filter="id"      hides children of that list that do not match
//	data-ago              a time that is kept current (function ago)
//	data-drop             see component drop
//
// # Tests
//
// newSite makes a console on the control database alone, newOfficeSite one with
// everything but mail servers (package admintest); s.as is a browser in which
// somebody is signed in. The tests that walk all routes find new pages by
// themselves: without a session, from another origin, of another tenant, with
// hostile input, and without the policy.
//
// # Look
//
// app.css has the colours as custom properties, for light and dark. The pieces:
// .card, .columns (cards side by side), .section, .section-head, .row, .stack,
// .narrow, .muted, .sub (a second line in a cell), .num, .truncate, .filters,
// .search, .frame. Icons are the symbols of assets/icons.svg. htmx.min.js is htmx
// 2.0.11 and idiomorph.min.js idiomorph 0.8.0, both as published, their
// licences beside them.
package console
