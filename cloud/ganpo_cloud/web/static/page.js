// Fetches the moving part of the page every two seconds; the button pauses it. Without JavaScript the page
// is the same, and the browser reloads it.
const moving = document.getElementById("moving");
const button = document.getElementById("pause");
const away = document.getElementById("away");
const said = document.getElementById("said");
let paused = false;
button.hidden = false;
button.addEventListener("click", () => {
  paused = !paused;
  button.setAttribute("aria-pressed", String(paused));
  button.textContent = paused ? button.dataset.resume : button.dataset.pause;
});
// Who marks a command to copy it must not lose the mark.
const reading = () => !getSelection().isCollapsed && moving.contains(getSelection().anchorNode);
const needs = () => document.getElementById("needs")?.textContent ?? "";
async function refresh() {
  try {
    const url = `${location.pathname}?fragment=1&lang=${document.documentElement.dataset.lang}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(10000) });
    const html = await answer.text();
    if (answer.ok && !paused && !reading()) {
      const before = needs();
      moving.innerHTML = html;
      if (needs() !== before) said.textContent = needs();
    }
    away.hidden = answer.ok;
  } catch {
    away.hidden = false;
  }
}
async function loop() {
  if (!paused && !document.hidden) await refresh();
  setTimeout(loop, 2000);
}
setTimeout(loop, 2000);
