// Runs before the first paint: what the sidebar was like last time. A plain script, so that the
// browser waits for it; a module would come after the page has been drawn once.
{
  const root = document.documentElement;
  try {
    const width = Number(localStorage.getItem("sidebar-width"));
    if (width) root.style.setProperty("--sidebar", `${width}px`);
    if (localStorage.getItem("sidebar") === "closed") root.dataset.sidebar = "closed";
  } catch {
    // Storage is forbidden to this page: it looks as it does the first time.
  }
}
