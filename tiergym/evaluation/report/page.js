"use strict";
const root = document.documentElement;

document.querySelector(".theme").addEventListener("click", () => {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

const value = (row, column) => {
  const cell = row.cells[column];
  if (cell.dataset.order === undefined) return cell.textContent;
  return cell.dataset.order === "" ? NaN : Number(cell.dataset.order);
};

const compare = (a, b) => {
  if (typeof a === "string") return a.localeCompare(b);
  return a - b;
};

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows].map((row) => [value(row, column), row]);
      const unknown = rows.filter(([v]) => Number.isNaN(v));
      const known = rows.filter(([v]) => !Number.isNaN(v));
      known.sort(([a], [b]) => sign * compare(a, b));
      table.tBodies[0].append(...[...known, ...unknown].map(([, row]) => row));
    });
  });
}

const marks = (series) => document.querySelectorAll(`.panel [data-s="${series}"]`);

for (const key of document.querySelectorAll(".series .key")) {
  const light = (on) => {
    document.body.classList.toggle("dimmed", on);
    marks(key.dataset.s).forEach((mark) => mark.classList.toggle("lit", on));
  };
  for (const event of ["mouseenter", "focus"]) key.addEventListener(event, () => light(true));
  for (const event of ["mouseleave", "blur"]) key.addEventListener(event, () => light(false));
  key.addEventListener("click", () => {
    const shown = key.getAttribute("aria-pressed") !== "true";
    key.setAttribute("aria-pressed", String(shown));
    light(shown);
    marks(key.dataset.s).forEach((mark) => mark.classList.toggle("off", !shown));
  });
}
