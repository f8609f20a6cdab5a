"use strict";
const form = document.getElementById("filters");
const items = Array.from(document.querySelectorAll("#list > li"));
function filter() {
  const wanted = Array.from(form.elements).filter(
    (field) => field.name && field.value
  );
  let shown = 0;
  for (const item of items) {
    item.hidden = !wanted.every(
      (field) => item.dataset[field.name] === field.value
    );
    shown += item.hidden ? 0 : 1;
  }
  document.getElementById("shown").textContent = shown;
}
form.hidden = false;
form.addEventListener("change", filter);
