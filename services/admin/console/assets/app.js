// What pages of the console do in the browser beyond htmx. Elements say by
// data- attributes what they want; doc.go of package console lists them.
'use strict';

const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const wants = (event, selector) => event.target instanceof Element ? event.target.closest(selector) : null;

// Toasts. Bad news stays until it is dismissed.

function toast(text) {
  const t = find('#toast-template').content.firstElementChild.cloneNode(true);
  find('.toast-text', t).textContent = text;
  find('#toasts').append(t);
}

function watchToasts() {
  const region = find('#toasts');
  const age = () => {
    for (const t of all('[data-toast]:not([data-aging])', region)) {
      t.dataset.aging = '';
      if (t.dataset.toast !== 'bad') setTimeout(() => t.matches(':hover, :focus-within') || t.remove(), 6000);
    }
  };
  new MutationObserver(age).observe(region, { childList: true });
  age();
}

// Colours.

function setTheme(theme) {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  const name = secure ? '__Host-mailyard-theme' : 'mailyard-theme';
  document.cookie = name + '=' + theme + '; Path=/; SameSite=Lax; Max-Age=' + (theme ? 31536000 : 0) + secure;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const b of all('[data-theme-set]')) b.setAttribute('aria-pressed', String(b.dataset.themeSet === theme));
}

// Times.

function agoText(seconds) {
  const future = seconds < 0;
  const s = Math.abs(seconds);
  if (s < 5) return 'now';
  const text = s < 90 ? Math.floor(s) + ' s' : s < 5400 ? Math.floor(s / 60) + ' min' : s < 172800 ? Math.floor(s / 3600) + ' h' : Math.floor(s / 86400) + ' d';
  return future ? 'in ' + text : text + ' ago';
}

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });

function tick(root = document) {
  for (const t of all('time[data-ago]', root)) {
    const at = new Date(t.dateTime);
    t.textContent = agoText((Date.now() - at) / 1000);
    if (!t.dataset.local) {
      t.title = absolute.format(at) + ' (' + t.title + ')';
      t.dataset.local = 'true';
    }
  }
}

// Sizes, as package config reads them.

const units = { '': 1, b: 1, byte: 1, bytes: 1, k: 1e3, kb: 1e3, m: 1e6, mb: 1e6, g: 1e9, gb: 1e9, kib: 1024, ki: 1024, mib: 1048576, mi: 1048576, gib: 1073741824, gi: 1073741824 };

function bytes(text) {
  const m = /^\s*([0-9][0-9,_ ]*(?:\.[0-9]+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = m && units[m[2].toLowerCase()];
  if (!unit) return null;
  return Math.round(Number(m[1].replace(/[,_ ]/g, '')) * unit);
}

function showBytes(input) {
  const out = find('[data-bytes]', input.parentElement);
  if (!out) return;
  const n = bytes(input.value);
  out.textContent = input.value.trim() === '' ? '' : n === null ? 'not a size, such as 6 MB' : n.toLocaleString('en') + ' bytes';
}

// Dialogs. One that was loaded opens by itself and goes when it closes.

function openDialog(dialog) {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  const first = find('[autofocus], [data-typed], .dialog-foot [data-close]', dialog);
  if (first) first.focus();
}

// Selection of rows, over pages. The form holds the table and the bar; the value
// all=1 says that everything that matches the filter is meant.

const chosen = new WeakMap();

function selection(form) {
  if (!chosen.has(form)) chosen.set(form, { ids: new Set(), all: false });
  return chosen.get(form);
}

function showSelection(form) {
  const s = selection(form);
  const bar = find('[data-selection]', form);
  if (!bar) return;
  const rows = all('[data-row]', form);
  for (const r of rows) r.checked = s.all || s.ids.has(r.value);
  const head = find('[data-rows]', form);
  const here = rows.filter((r) => r.checked).length;
  if (head) {
    head.checked = rows.length > 0 && here === rows.length;
    head.indeterminate = here > 0 && here < rows.length;
  }
  const more = find('[data-select-all]', bar);
  const total = Number(more.dataset.selectAll);
  const n = s.all ? total : s.ids.size;
  bar.hidden = n === 0;
  const text = n < 0 ? 'All that match are selected' : n.toLocaleString('en') + ' selected';
  const said = find('[data-selection-text]', bar);
  if (said.textContent !== text) said.textContent = text;
  more.hidden = s.all || !head || !head.checked || (total >= 0 && total <= rows.length);
  for (const hidden of all('input[data-chosen]', bar)) hidden.remove();
  const add = (name, value) => {
    const i = document.createElement('input');
    Object.assign(i, { type: 'hidden', name, value });
    i.dataset.chosen = '';
    bar.append(i);
  };
  if (s.all) add('all', '1');
  else {
    const here = new Set(rows.map((r) => r.value));
    for (const id of s.ids) if (!here.has(id)) add('id', id);
  }
}

// Forms that are sent and answered piece by piece.

async function streamForm(form, submitter) {
  const target = find(form.dataset.stream);
  const cancel = form.dataset.cancel ? find(form.dataset.cancel) : null;
  const abort = new AbortController();
  const stop = () => abort.abort();
  const source = form.dataset.source ? find(form.dataset.source) : form;
  const data = new URLSearchParams();
  for (const f of new Set([source, form])) {
    for (const [k, v] of new FormData(f, f === form ? submitter : null)) if (typeof v === 'string') data.append(k, v);
  }
  target.replaceChildren();
  target.setAttribute('aria-busy', 'true');
  form.classList.add('busy');
  if (cancel) { cancel.hidden = false; cancel.addEventListener('click', stop); }
  addEventListener('pagehide', stop);
  try {
    const action = submitter && submitter.hasAttribute('formaction') ? submitter.formAction : form.action;
    const answer = await fetch(action, { method: 'POST', body: data, headers: { 'X-Stream': 'true' }, signal: abort.signal, redirect: 'error' });
    const to = answer.headers.get('HX-Redirect');
    if (to) { location.assign(to); return; }
    if (!answer.ok) { place(find('#toasts'), await answer.text()); return; }
    let rest = '';
    for await (const text of decode(answer.body)) {
      const parts = (rest + text).split('\x1e');
      rest = parts.pop();
      for (const p of parts) place(target, p);
    }
    if (rest) place(target, rest);
  } catch (e) {
    if (abort.signal.aborted) place(target, '', 'Cancelled.');
    else toast('The connection to mailyard ended early. Try again.');
  } finally {
    target.removeAttribute('aria-busy');
    form.classList.remove('busy');
    if (cancel) { cancel.hidden = true; cancel.removeEventListener('click', stop); }
    removeEventListener('pagehide', stop);
    form.dispatchEvent(new CustomEvent('stream-end', { bubbles: true }));
  }
}

async function* decode(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

// place puts a fragment of HTML into an element: in the place of what has the
// same id, into what its data-into names, or at the end.
function place(target, html, text) {
  const t = document.createElement('template');
  t.innerHTML = html;
  if (text) {
    const p = document.createElement(target.matches('ol, ul') ? 'li' : 'p');
    p.className = 'muted';
    p.textContent = text;
    t.content.append(p);
  }
  for (const e of [...t.content.children]) {
    const old = e.id && document.getElementById(e.id);
    const into = e.dataset.into ? find(e.dataset.into) : target;
    if (old) old.replaceWith(e);
    else into.append(e);
    htmx.process(e);
    ready(e);
  }
}

// Unsaved changes.

const formText = (form) => new URLSearchParams([...new FormData(form)].map(([k, v]) => [k, typeof v === 'string' ? v : v.name])).toString();
const saved = new WeakMap();
let leaving = false;
const dirty = () => !leaving && all('form[data-guard]').some((f) => saved.has(f) && saved.get(f) !== formText(f));

// What new parts of a page need.

function ready(root) {
  tick(root);
  for (const i of all('[data-size]', root)) showBytes(i);
  for (const d of all('dialog[data-modal]', root)) openDialog(d);
  for (const f of all('form[data-guard]', root)) if (!saved.has(f)) saved.set(f, find('[data-focus], .invalid', f) ? '' : formText(f));
  for (const f of all('form:has([data-selection])')) showSelection(f);
  const focus = find('[data-focus]', root);
  if (focus) focus.focus();
}

addEventListener('beforeunload', (e) => { if (dirty()) e.preventDefault(); });

document.addEventListener('click', async (e) => {
  let el;
  if ((el = wants(e, '[data-opens]'))) openDialog(document.getElementById(el.dataset.opens));
  else if ((el = wants(e, '[data-close]'))) el.closest('dialog').close();
  else if ((el = wants(e, '[data-dismiss]'))) el.closest('[data-toast]').remove();
  else if ((el = wants(e, '[data-theme-set]'))) setTheme(el.dataset.themeSet);
  else if ((el = wants(e, '[data-copy]'))) {
    const source = el.dataset.copy ? find(el.dataset.copy) : find('pre, code, input', el.parentElement);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      el.setAttribute('aria-label', 'Copied');
      el.classList.add('done');
      setTimeout(() => { el.setAttribute('aria-label', 'Copy'); el.classList.remove('done'); }, 2000);
    } catch { toast('The browser does not let this page copy. Select the text and copy it by hand.'); }
  } else if ((el = wants(e, '[data-select-all]'))) { const f = el.closest('form'); selection(f).all = true; showSelection(f); }
  else if ((el = wants(e, '[data-select-none]'))) { const f = el.closest('form'); chosen.delete(f); showSelection(f); }
  if (e.target instanceof HTMLDialogElement && e.target.open) e.target.close(); // the backdrop
  for (const m of all('details[data-menu][open]')) if (!m.contains(e.target)) m.open = false;
  if ((el = wants(e, '.menu-list button')) && (el = el.closest('details[data-menu]'))) { el.open = false; find('summary', el).focus(); }
});

document.addEventListener('close', (e) => {
  if (e.target instanceof HTMLDialogElement && e.target.hasAttribute('data-modal')) e.target.remove();
}, true);

document.addEventListener('input', (e) => {
  const el = e.target;
  if (el.matches('[data-size]')) showBytes(el);
  if (el.matches('[data-typed]')) find('[type=submit]', el.form).disabled = el.value.trim() !== el.dataset.typed;
  if (el.dataset.slug && !find('#' + el.dataset.slug)?.dataset.own) {
    const id = find('#' + el.dataset.slug);
    if (id) id.value = el.value.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+/, '').slice(0, 63).replace(/-+$/, '');
  }
  if (el.id && find('[data-slug="' + el.id + '"]')) el.dataset.own = 'true';
  if (el.matches('[data-filter]')) {
    const text = el.value.toLowerCase();
    for (const li of document.getElementById(el.dataset.filter).children) li.hidden = !li.textContent.toLowerCase().includes(text);
  }
});

document.addEventListener('change', (e) => {
  const el = e.target;
  const form = el.form;
  if (el.matches('[data-row]')) {
    const s = selection(form);
    if (s.all) { s.all = false; s.ids = new Set(all('[data-row]', form).map((r) => r.value)); }
    if (el.checked) s.ids.add(el.value); else s.ids.delete(el.value);
    showSelection(form);
  } else if (el.matches('[data-rows]')) {
    const s = selection(form);
    s.all = false;
    for (const r of all('[data-row]', form)) if (el.checked) s.ids.add(r.value); else s.ids.delete(r.value);
    showSelection(form);
  } else if (el.matches('[data-submit]')) form.requestSubmit();
  else if (el.matches('[data-drop] input')) {
    find('[data-drop-name]', el.closest('[data-drop]')).textContent = el.files.length ? el.files[0].name + ', ' + el.files[0].size.toLocaleString('en') + ' bytes' : '';
  }
});

document.addEventListener('submit', (e) => {
  const form = e.target;
  if (form.dataset.stream) {
    e.preventDefault();
    streamForm(form, e.submitter);
    return;
  }
  if (form.dataset.sent) { e.preventDefault(); return; } // the second click of a double click
  if (!form.hasAttribute('hx-post') && !form.hasAttribute('hx-get') && form.method === 'post' && !(e.submitter && e.submitter.hasAttribute('hx-post'))) {
    form.dataset.sent = 'true';
    leaving = leaving || form.hasAttribute('data-guard');
    form.classList.add('busy');
  }
});

// A page that comes back from the browser's memory can be sent again.
addEventListener('pageshow', () => {
  leaving = false;
  for (const f of all('form[data-sent]')) { delete f.dataset.sent; f.classList.remove('busy'); }
});

for (const name of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(name, (e) => {
    const el = wants(e, '[data-drop]');
    if (el) el.classList.toggle('over', name === 'dragover');
  });
}

// Keys. None of them acts while one types.

let pressed = '';
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape') {
    for (const m of all('details[data-menu][open]')) { m.open = false; find('summary', m).focus(); }
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]') || find('dialog[open]')) return;
  if (e.key === '/') {
    const s = find('[data-search]');
    if (s) { e.preventDefault(); s.focus(); s.select(); }
  } else if (e.key === '?') openDialog(find('#keys'));
  else if (e.key === 'g') { pressed = 'g'; setTimeout(() => { pressed = ''; }, 1500); }
  else if (e.key === 'j' || e.key === 'k') {
    const rows = all('tbody tr[data-open], tbody tr:has([data-row])');
    const at = rows.findIndex((r) => r.contains(document.activeElement));
    const next = rows[at < 0 ? 0 : at + (e.key === 'j' ? 1 : -1)];
    if (next) find('a, button, input', next).focus();
  } else if (e.key === 'x') {
    const row = document.activeElement.closest('tr');
    const box = row && find('[data-row]', row);
    if (box) { e.preventDefault(); box.click(); }
  } else if (/^[a-z]$/.test(e.key)) {
    const key = pressed ? 'g ' + e.key : e.key;
    pressed = '';
    const el = find('[data-key="' + key + '"]');
    if (el) { e.preventDefault(); el.click(); }
  }
});

// Parts that refresh: idiomorph changes what is there into what came (the swap
// style "morph"), so that the focus and a selection stay. Rows are told apart by
// their ids. What the browser owns stays too: what is open, what was typed and
// ticked, and what data-keep names; nothing: the whole.

const kept = (name, node) =>
  name === 'open' ? node.matches('details, dialog')
    : name === 'value' || name === 'checked' ? node.matches('input, textarea')
      : (node.dataset.keep ?? '').split(' ').includes(name);

Idiomorph.defaults.callbacks.beforeNodeMorphed = (now) => now.dataset?.keep !== '';
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !kept(name, node);

htmx.defineExtension('morph', { // idiomorph's own takes "beforeend" of hx-swap-oob for its style too
  isInlineSwap: (style) => style === 'morph',
  handleSwap: (style, target, fragment) => style === 'morph' && Idiomorph.morph(target, fragment.children),
});

// htmx.

document.addEventListener('htmx:afterSettle', (e) => ready(e.detail.elt));
document.addEventListener('htmx:oobAfterSwap', (e) => ready(e.detail.target));
document.addEventListener('htmx:sendError', (e) => { if (!wants({ target: e.detail.elt }, '[data-live]')) toast('mailyard cannot be reached. Check the connection and try again.'); });
document.addEventListener('htmx:timeout', () => toast('mailyard did not answer in time. Try again.'));
document.addEventListener('htmx:beforeRequest', (e) => {
  // What refreshes itself waits while nobody sees it.
  if (document.hidden && e.detail.elt.matches('[data-live]')) e.preventDefault();
});

// The secret of a one-time link stands behind the #. It leaves the address at once.

function openLink() {
  const form = find('form[data-hash]');
  const token = decodeURIComponent(location.hash.slice(1));
  if (!form || !token || token === 'main') return;
  history.replaceState(null, '', location.pathname);
  form.elements.token.value = token;
  form.requestSubmit();
}
addEventListener('hashchange', openLink);
openLink();

for (const t of all('.tabs [aria-current], .chips [aria-current]')) t.scrollIntoView({ block: 'nearest', inline: 'nearest' });
const narrow = matchMedia('(max-width: 860px)');
const fold = () => { const p = find('#pane'); if (p) p.open = !narrow.matches; };
narrow.addEventListener('change', fold);
fold();
watchToasts();
ready(document);
setInterval(tick, 10000);
