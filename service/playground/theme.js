// Light, dark, or as the system is; kept in the browser.

import { $ } from "./dom.js";

const THEMES = { automatic: "light dark", light: "light", dark: "dark" };

function setTheme(theme) {
  document.documentElement.style.colorScheme = THEMES[theme];
  $("#theme span").textContent = theme;
  try { localStorage.setItem("theme", theme); } catch { /* not kept then */ }
}

function storedTheme() {
  try { return THEMES[localStorage.getItem("theme")] ? localStorage.getItem("theme") : "automatic"; } catch { return "automatic"; }
}

setTheme(storedTheme());
$("#theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  setTheme(names[(names.indexOf(storedTheme()) + 1) % names.length]);
});
