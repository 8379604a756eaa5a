(() => {
  const d = document, root = d.documentElement, tip = d.getElementById("tip");
  root.classList.add("js");
  d.getElementById("theme").onclick = () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme:dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };
  d.getElementById("print").onclick = () => print();
  d.addEventListener("pointermove", (e) => {
    const mark = e.target.closest && e.target.closest("[data-tip]");
    tip.style.display = mark ? "block" : "none";
    if (!mark) return;
    tip.textContent = mark.dataset.tip;
    tip.style.left = Math.min(e.clientX + 14, innerWidth - 290) + "px";
    tip.style.top = e.clientY + 16 + "px";
  });
  const save = (name, text, type) => {
    const a = d.createElement("a");
    a.href = URL.createObjectURL(new Blob([text], { type }));
    a.download = name;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 1000);
  };
  // A drawing leaves the page in its light colours, written in.
  const light = () => {
    let css = d.getElementById("figure-style").textContent;
    const vars = d.getElementById("style").textContent.match(/:root\{([^}]*)\}/)[1];
    for (const v of vars.split(";")) {
      const [name, value] = v.trim().split(":");
      css = css.replaceAll(`var(${name})`, value);
    }
    return css;
  };
  for (const button of d.querySelectorAll("[data-csv]")) {
    button.onclick = () => {
      const text = d.getElementById(button.dataset.csv).textContent;
      save(button.dataset.csv.slice(4) + ".csv", text, "text/csv");
    };
  }
  for (const button of d.querySelectorAll("[data-svg]")) {
    button.onclick = () => {
      for (const svg of button.closest("figure").querySelectorAll("svg")) {
        const copy = svg.cloneNode(true);
        const style = d.createElementNS("http://www.w3.org/2000/svg", "style");
        style.textContent = light();
        copy.prepend(style);
        const text = new XMLSerializer().serializeToString(copy);
        save(svg.parentNode.dataset.name + ".svg", text, "image/svg+xml");
      }
    };
  }
})();
