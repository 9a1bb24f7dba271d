// Every `data-every` ms the page is asked for anew - from `data-from`, where a piece of it is enough - and the parts that
// changed are put in place. The button pauses it. Without JavaScript the browser reloads the page.
const button = document.getElementById("pause");
const away = document.getElementById("away");
const said = document.getElementById("said");
const telling = (page) => page.querySelector("[data-said]")?.dataset.said ?? "";
let told = telling(document);
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
  const now = telling(fresh);
  if (now !== told) said.textContent = told = now;
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.getElementById(part.id);
    if (next && next.innerHTML !== part.innerHTML && !marked(part)) part.innerHTML = next.innerHTML;
  }
}
// What is old is not shown as good: `old` takes marks and ages away, and the time stands where one looks.
function reached(is) {
  away.hidden = is;
  away.querySelector("b").textContent = document.querySelector("[data-at]").textContent;
  document.body.classList.toggle("old", !is);
}
async function refresh() {
  try {
    const from = button.dataset.from ?? location.pathname + location.search;
    const answer = await fetch(from, { signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!paused) put(fresh);
    reached(true);
  } catch {
    reached(false);
  }
}
async function loop() {
  if (!paused && !document.hidden) await refresh();
  setTimeout(loop, Number(button.dataset.every));
}
setTimeout(loop, Number(button.dataset.every));
