// Every five seconds the page is asked for anew, and the parts that changed are put in place. The button pauses it.
// Without JavaScript the browser reloads the page.
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
const marked = (part) => !getSelection().isCollapsed && part.contains(getSelection().anchorNode);
function put(fresh) {
  const needs = document.getElementById("needs"), now = fresh.getElementById("needs");
  if (needs.dataset.said !== now.dataset.said) {
    needs.dataset.said = now.dataset.said;
    said.textContent = now.querySelector("h2").textContent + ". " + now.dataset.said;
  }
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.getElementById(part.id);
    if (next && next.innerHTML !== part.innerHTML && !marked(part)) part.innerHTML = next.innerHTML;
  }
}
async function refresh() {
  try {
    const answer = await fetch(location.pathname + location.search, { signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!paused) put(fresh);
    away.hidden = true;
  } catch {
    away.hidden = false;
  }
}
async function loop() {
  if (!paused && !document.hidden) await refresh();
  setTimeout(loop, 5000);
}
setTimeout(loop, 5000);
