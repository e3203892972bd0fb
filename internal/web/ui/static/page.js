'use strict';

// ask shows a question and resolves to whether it was answered by Delete.
function ask(question) {
  const dialog = document.getElementById('confirm');
  dialog.querySelector('p').textContent = question;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

// send asks the gateway for a deletion and resolves to whether it was done.
async function send(method, path, what) {
  try {
    const reply = await fetch(path, { method });
    if (!reply.ok) {
      throw new Error((await reply.text()) || reply.statusText);
    }
    return true;
  } catch (err) {
    alert(what + ' failed: ' + err.message);
    return false;
  }
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest('button.delete');
  if (!button) {
    return;
  }
  const question = 'Do you really want to delete all metrics of group ' + button.dataset.key + '?';
  if ((await ask(question)) && (await send('DELETE', button.dataset.path, 'Deleting metric group'))) {
    button.closest('.group').remove();
  }
});

document.getElementById('delete-all')?.addEventListener('click', async () => {
  const question = 'Do you really want to delete all metrics from all metric groups?';
  if ((await ask(question)) && (await send('PUT', 'api/v1/admin/wipe', 'Deleting all metric groups'))) {
    location.reload();
  }
});
