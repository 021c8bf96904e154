// The ledger and the atlas: a box that leaves the rows with every word that is typed into it.
(function () {
  if (!/(ledger|atlas)\.html$/.test(location.pathname)) return;
  const article = document.querySelector("article");
  const rows = [...article.querySelectorAll("tbody tr, section li")];
  const words = rows.map((row) => row.textContent.toLowerCase());
  const box = Object.assign(document.createElement("input"), {
    type: "search", className: "filter", placeholder: "Search rows: fails, b ~ T, Theorem 3", ariaLabel: "Search rows",
  });
  const count = Object.assign(document.createElement("p"), { role: "status" });
  box.addEventListener("input", () => {
    const asked = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, k) => {
      row.hidden = !asked.every((word) => words[k].includes(word));
      shown += !row.hidden;
    });
    count.textContent = asked.length ? shown + " of " + rows.length + " rows" : "";
  });
  article.querySelector("h1").after(box, count);
})();
