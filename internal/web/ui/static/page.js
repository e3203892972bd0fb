// What the page does better with script. All of it works without.
'use strict';

(() => {
  const root = document.documentElement;
  root.classList.add('js');
  const byId = (id) => document.getElementById(id);
  const said = byId('said');
  const say = (text) => { said.textContent = text; };

  // Copy the text that a button belongs to. Pages without TLS have no clipboard to write to, so there the
  // text is selected and copied as a reader would.
  const copy = async (button) => {
    const source = byId(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand('copy');
    }
    const before = button.textContent;
    button.textContent = said.dataset.copied;
    say(said.dataset.copied);
    setTimeout(() => { button.textContent = before; }, 1500);
  };

  // Choose several groups.
  const boxes = () => [...document.querySelectorAll('#selection input[name=id]')];
  const chosen = () => boxes().filter((box) => box.checked);
  const tellChosen = () => {
    const button = byId('delete-chosen');
    if (!button) return;
    const number = chosen().length;
    button.disabled = number === 0;
    byId('chosen').textContent = number ? ` (${number})` : '';
    const all = byId('choose-all');
    all.checked = number > 0 && number === boxes().length;
    all.indeterminate = number > 0 && !all.checked;
  };

  // Ask in a dialog what the form would ask on a page of its own.
  const dialog = byId('dialog');
  const ask = async (form, button) => {
    const query = new URLSearchParams(new FormData(form));
    if (button && button.name) query.set(button.name, button.value);
    const address = form.getAttribute('action') + '?' + query;
    try {
      const reply = await fetch(address, { headers: { Accept: 'text/html' } });
      const question = new DOMParser().parseFromString(await reply.text(), 'text/html').getElementById('confirm');
      if (!question) throw new Error('no question');
      for (const name of ['href', 'action']) { // relative to where they came from
        question.querySelectorAll(`[${name}]`).forEach((e) => e.setAttribute(name, new URL(e.getAttribute(name), reply.url)));
      }
      dialog.replaceChildren(question);
      dialog.showModal();
    } catch {
      location.assign(address);
    }
  };

  // Lay the parts of a newer page over those of this one. What the reader is doing stays: the place on
  // the page, the focus, what is chosen, what is scrolled.
  const lay = (fresh) => {
    for (const part of document.querySelectorAll('[data-live]')) {
      const newer = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (!newer || newer.innerHTML === part.innerHTML) continue;
      const picked = new Set(chosen().map((box) => box.value));
      const focused = part.contains(document.activeElement) ? document.activeElement : null;
      const place = focused && [...part.querySelectorAll(focused.tagName)].indexOf(focused);
      const id = focused && focused.closest('[id]') && focused.closest('[id]').id;
      const left = part.scrollLeft;
      part.innerHTML = newer.innerHTML;
      part.scrollLeft = left;
      boxes().forEach((box) => { box.checked = picked.has(box.value); });
      if (focused) {
        const row = id && byId(id);
        const again = (row && part.contains(row) && (row.matches(focused.tagName) ? row : row.querySelector(`${focused.tagName}[href="${CSS.escape(focused.getAttribute('href') || '')}"], ${focused.tagName}`))) ||
          part.querySelectorAll(focused.tagName)[place];
        if (again) again.focus({ preventScroll: true });
      }
    }
    tellChosen();
  };

  const live = byId('live');
  const seconds = 10;
  let away = false;
  const refresh = async () => {
    if (document.hidden || dialog.open || live.getAttribute('aria-pressed') !== 'true') return;
    try {
      const reply = await fetch(location.href, { headers: { Accept: 'text/html' } });
      if (!reply.ok) throw new Error(reply.status);
      lay(new DOMParser().parseFromString(await reply.text(), 'text/html'));
      if (away) say('');
      away = false;
    } catch {
      if (!away) say(said.dataset.stale);
      away = true;
    }
    said.classList.toggle('shown', away);
  };
  const turn = (on) => {
    live.setAttribute('aria-pressed', String(on));
    sessionStorage.setItem('live', on ? 'on' : 'off');
  };

  document.addEventListener('click', (event) => {
    const button = event.target.closest('button, a');
    if (!button) return;
    if (button.dataset.copy) copy(button);
    if (button.dataset.close !== undefined && dialog.open) {
      event.preventDefault();
      dialog.close();
    }
    if (button === live) {
      turn(live.getAttribute('aria-pressed') !== 'true');
      refresh();
    }
  });
  document.addEventListener('submit', (event) => {
    if (event.target.dataset.dialog === undefined) return;
    event.preventDefault();
    ask(event.target, event.submitter);
  });
  document.addEventListener('change', (event) => {
    if (event.target.id === 'choose-all') boxes().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.closest('#selection')) tellChosen();
    if (event.target.matches('.find select')) event.target.form.requestSubmit();
  });
  document.addEventListener('keyup', (event) => { // by then the slash is written, and not into the field
    const writing = event.target.matches('input:not([type=checkbox]), select, textarea');
    if (event.key === '/' && !writing && byId('search')) byId('search').select();
  });

  if (document.querySelector('[data-live]')) {
    turn(sessionStorage.getItem('live') !== 'off');
    setInterval(refresh, seconds * 1000);
  } else {
    live.hidden = true;
  }
  tellChosen();
})();
