// What the form of a mailbox, its test and its dry run do in the browser.
'use strict';

(() => {
  const form = () => find('#mailbox-form');
  const touched = new Set(); // names of the fields that somebody typed in

  const named = (f, name) => [...f.elements].filter((e) => e.name === name);
  const valueOf = (f, name) => new FormData(f).getAll(name).join('\n');

  // fill gives fields values, {"imap.port": ["993"]}, as if they were typed.
  function fill(f, values) {
    for (const [name, list] of Object.entries(values)) {
      for (const e of named(f, name)) {
        if (e.type === 'checkbox' || e.type === 'radio') e.checked = list.includes(e.value);
        else e.value = list[0] ?? '';
        e.dispatchEvent(new Event('input', { bubbles: true }));
        e.dispatchEvent(new Event('change', { bubbles: true }));
      }
    }
  }

  // The id follows the name until somebody types one; package console proposes
  // the same.
  function slug(name) {
    return name.toLowerCase().replaceAll('ß', 'ss').normalize('NFKD').replace(/\p{M}/gu, '').replace(/[^a-z0-9]+/g, '-').replace(/^-/, '').slice(0, 63).replace(/-$/, '');
  }

  // Folders: how many are chosen, what several of them need, and which of them
  // can take what is unmatched.
  function folders(f) {
    const picker = find('[data-picker]', f);
    if (!picker) return;
    const boxes = all('input[name=folders]', picker);
    const on = boxes.filter((b) => b.checked);
    find('[data-picker-count]', picker).textContent = on.length + ' of ' + boxes.length + ' chosen';
    find('[data-picker-note]', f).hidden = on.length < 2;
    const select = f.elements.unmatched;
    if (!select) return;
    const now = select.value;
    for (const o of [...select.options]) if (o.value !== 'invalid' && o.value !== now) o.remove();
    for (const b of on) {
      if (b.value !== now) select.append(new Option('Catch-all: ' + b.dataset.name, b.value));
    }
  }

  // The folders of the server: whether the name that is typed is one of them.
  function exists(input) {
    const select = input.id && find('[data-pick="' + input.id + '"]');
    if (!select) return;
    const name = input.value.trim().toLowerCase();
    const known = [...select.options].some((o) => o.value && o.value.toLowerCase() === name);
    find('[data-exists]', select.parentElement).textContent = known ? 'Exists on the server.' : 'Will be created when it is needed.';
  }

  // What an address filled in goes when the address becomes another one: the
  // password of one provider's mailbox must not be sent to another provider.
  let provided = []; // name, value, and what stood there before
  function withdraw(f) {
    for (const p of provided) {
      if (!touched.has(p.name) && valueOf(f, p.name) === p.value) fill(f, { [p.name]: p.before });
    }
    provided = [];
  }

  // The settings of a provider go into fields that nobody typed in, and can be
  // taken back.
  function provide(notice) {
    const f = form();
    const values = JSON.parse(notice.dataset.provider);
    const before = {};
    for (const name of Object.keys(values)) {
      const mine = touched.has(name) || (!f.hasAttribute('data-new') && f.elements['imap.host'].value !== '');
      if (mine || valueOf(f, name) === values[name].join('\n')) delete values[name];
      else before[name] = new FormData(f).getAll(name);
    }
    const undo = find('[data-undo]', notice);
    const done = find('[data-provided]', notice);
    const apply = find('[data-apply]', notice);
    const show = (filled) => {
      done.hidden = undo.hidden = !filled;
      apply.hidden = filled;
    };
    const take = (some) => { fill(f, some); show(true); };
    undo.onclick = () => { fill(f, before); show(false); };
    apply.onclick = () => {
      const wanted = JSON.parse(notice.dataset.provider);
      for (const name of Object.keys(wanted)) before[name] ??= new FormData(f).getAll(name);
      take(wanted);
    };
    if (Object.keys(values).length > 0) {
      take(values);
      provided = Object.keys(values).map((name) => ({ name, value: valueOf(f, name), before: before[name] }));
    }
    else {
      show(false);
      const same = Object.entries(JSON.parse(notice.dataset.provider)).every(([name, list]) => valueOf(f, name) === list.join('\n'));
      apply.hidden = same;
      find('[data-same]', notice).hidden = !same;
    }
  }

  function begin() {
    const f = form();
    if (!f) return;
    folders(f);
    // The field of the password stays when the form comes back, its state does not.
    const password = find('#field-password');
    if (password) {
      const problem = find('#field-password-problem');
      password.toggleAttribute('aria-invalid', !!problem);
      if (problem) {
        password.setAttribute('aria-invalid', 'true');
        password.setAttribute('aria-describedby', 'field-password-problem field-password-help');
      }
    }
  }

  document.addEventListener('input', (e) => {
    const f = form();
    if (!f || e.target.form !== f) return;
    if (e.isTrusted && e.target.name) touched.add(e.target.name);
    if (e.target.name === 'name' && f.hasAttribute('data-new') && !touched.has('id')) f.elements.id.value = slug(e.target.value);
    exists(e.target);
  });

  document.addEventListener('change', (e) => {
    const el = e.target;
    if (el.matches('input[name=folders]')) folders(el.form);
    if (el.matches('[data-pick]') && el.value) {
      fill(form(), { [find('#' + el.dataset.pick).name]: [el.value] });
      el.value = '';
    }
    if (el.matches('input[type=radio][data-fill]')) fill(form(), JSON.parse(el.dataset.fill));
  });

  document.addEventListener('click', (e) => {
    let el;
    if ((el = wants(e, '[data-choose]'))) {
      for (const r of all('.conflict input[value=' + el.dataset.choose + ']')) if (!r.checked) r.click();
    } else if ((el = wants(e, 'button[data-fill]'))) {
      fill(form(), JSON.parse(el.dataset.fill));
      const since = form().elements.import_since_date;
      if (el.dataset.fill.includes('"date"') && !since.value) { since.focus(); return; }
      if (el.dataset.again) find(el.dataset.again).requestSubmit();
    } else if ((el = wants(e, '[data-hide]'))) {
      find(el.dataset.hide).hidden = true;
      const stop = find('button[id$=-stop]', find(el.dataset.hide));
      if (stop && !stop.hidden) stop.click();
    }
  });

  // What is examined appears where one sees it.
  document.addEventListener('submit', (e) => {
    const shown = e.target.dataset.reveals && find(e.target.dataset.reveals);
    if (!shown) return;
    shown.hidden = false;
    shown.scrollIntoView({ block: 'nearest' });
    const title = find('h2[tabindex]', shown);
    if (title) title.focus({ preventScroll: true });
  });

  document.addEventListener('stream-end', (e) => {
    const shown = e.target.dataset.reveals && find(e.target.dataset.reveals);
    if (shown && getComputedStyle(shown).position !== 'sticky') shown.scrollIntoView({ block: 'start' });
    const off = (icon) => icon && icon.setAttribute('href', icon.getAttribute('href').replace(/#.*/, '#minus-circle'));
    for (const running of all('[data-running]')) {
      for (const said of all('#doctor-steps > li.muted, #dry-run-result > p.muted')) said.remove();
      off(find('use', running));
      running.className = 'notice tone-off';
      find('.grow', running).textContent = 'Cancelled. What was made on the server is removed.';
      running.removeAttribute('data-running');
    }
    for (const s of all('.step.tone-busy')) {
      s.classList.replace('tone-busy', 'tone-off');
      off(find('use', s));
      find('.step-state', s).textContent = 'cancelled';
    }
  });

  document.addEventListener('keydown', (e) => {
    const f = find('form[data-save]');
    if (f && (e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === 's') {
      e.preventDefault();
      f.requestSubmit();
    }
    if (e.key === 'Enter' && e.target instanceof Element && e.target.matches('[data-filter]')) e.preventDefault();
  });

  document.addEventListener('htmx:beforeOnLoad', (e) => {
    if (e.detail.xhr.getResponseHeader('HX-Redirect')) leaving = true; // it is saved
  });
  document.addEventListener('htmx:beforeSwap', (e) => {
    if (e.detail.target.id === 'provider') withdraw(form());
  });
  document.addEventListener('htmx:afterSettle', (e) => {
    if (e.detail.elt.id === 'mailbox-page') begin();
    for (const n of all('[data-provider]:not([data-seen])')) {
      n.dataset.seen = '';
      provide(n);
    }
  });

  begin();
})();
