// Fetches the moving part of the page every two seconds; the button pauses it. Without JavaScript the page
// is the same, and the browser reloads it.
const part = document.getElementById("moving");
const button = document.getElementById("pause");
let paused = false;
button.hidden = false;
button.addEventListener("click", () => {
  paused = !paused;
  button.setAttribute("aria-pressed", String(paused));
  button.textContent = paused ? button.dataset.resume : button.dataset.pause;
});
async function refresh() {
  if (!paused && !document.hidden) {
    try {
      const answer = await fetch(`/?fragment=1&lang=${document.documentElement.dataset.lang}`);
      if (answer.ok && !paused) part.innerHTML = await answer.text();
    } catch {
      // The collector is away: what is shown stays, with its own time.
    }
  }
  setTimeout(refresh, 2000);
}
setTimeout(refresh, 2000);
