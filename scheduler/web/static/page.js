// Keeps the page true while it is looked at: when the house says that something changed, the main part is
// asked for again and put in its place. Without this script every page works the same, only not by itself.
"use strict";
(() => {
  const live = document.body.dataset.live;
  if (!live || !window.EventSource) return;
  const main = document.getElementById("main");
  const updated = document.getElementById("updated");
  let stale = false;
  let asking = false;

  // Where the reader is must stay so: what has the focus, and how far a table is scrolled.
  const reachable = () => [...main.querySelectorAll("a, button, [tabindex]")];
  const name = (each) => each.getAttribute("href") || each.getAttribute("aria-label") || each.textContent;
  const place = () => {
    const focused = reachable().includes(document.activeElement) ? name(document.activeElement) : null;
    const nth = reachable().filter((each) => name(each) === focused).indexOf(document.activeElement);
    const scrolled = [...main.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
    return () => {
      const same = reachable().filter((each) => name(each) === focused);
      if (same.length) same[Math.min(nth, same.length - 1)].focus({ preventScroll: true });
      main.querySelectorAll(".scroll").forEach((each, n) => { each.scrollLeft = scrolled[n] || 0; });
    };
  };

  const typing = () => main.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");

  const ask = async () => {
    if (document.hidden || asking || typing()) { stale = true; return; }
    stale = false;
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Part": "main" }, redirect: "manual" });
      if (answer.status === 401 || answer.type === "opaqueredirect") { location.reload(); return; }
      if (!answer.ok) return;
      const text = await answer.text();
      const back = place();
      main.innerHTML = text;
      back();
      updated.textContent = "";
    } catch {
      updated.textContent = "The house does not answer; what is shown may be old.";
    } finally {
      asking = false;
    }
  };

  const events = new EventSource(`/events?since=${encodeURIComponent(live)}`);
  let opened = false;
  events.addEventListener("changed", ask);
  events.addEventListener("error", () => { updated.textContent = "The house does not answer; what is shown may be old."; });
  events.addEventListener("open", () => { updated.textContent = ""; if (opened) ask(); opened = true; });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && stale) ask(); });
  document.addEventListener("focusout", () => { if (stale) setTimeout(() => { if (stale) ask(); }, 300); });
})();
