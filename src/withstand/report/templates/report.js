"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // Copying: the clipboard where the browser allows it, else the line is selected.
  for (const button of all(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const line = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(line.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(line);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  const findings = all(".finding");
  const toggle = document.getElementById("toggle-findings");
  if (toggle) {
    const label = () => {
      toggle.textContent = findings.every((card) => card.open) ? "Collapse all" : "Expand all";
    };
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      const open = !findings.every((card) => card.open);
      for (const card of findings) card.open = open;
    });
    for (const card of findings) card.addEventListener("toggle", label);
    label();
  }
  // A link to a finding opens it.
  const reveal = () => {
    const card = location.hash.startsWith("#finding-") && document.getElementById(location.hash.slice(1));
    if (card) card.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
  // Paper cannot be expanded.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("main details:not([open])");
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed) each.open = false;
  });

  const place = document.getElementById("over-time");
  if (!place || !data.series) return;
  const names = Object.keys(data.series);
  let shown = names[0];
  let charts = [];
  const choose = document.getElementById("choose");
  if (names.length > 1) {
    choose.hidden = false;
    document.getElementById("operation").addEventListener("change", (event) => {
      shown = all(".curve")[event.target.value].dataset.operation;
      for (const curve of all(".curve")) curve.hidden = curve.dataset.operation !== shown;
      draw();
    });
  }

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const two = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

  function shadeWarmUp(plot) {
    const { left, top, width, height } = plot.bbox;
    const end = Math.min(plot.valToPos(data.warmUp, "x", true), left + width);
    if (!data.warmUp || end <= left) return;
    plot.ctx.fillStyle = `${colour("--muted")}33`;
    plot.ctx.fillRect(left, top, end - left, height);
  }

  function chart(title, seconds, series, unit) {
    const box = document.createElement("div");
    box.className = "chart";
    const heading = document.createElement("p");
    heading.className = "chart-title";
    heading.textContent = title;
    box.append(heading);
    place.append(box);
    const axis = {
      stroke: colour("--muted"), font: "12px system-ui, sans-serif",
      grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false },
    };
    const options = {
      width: box.clientWidth, height: 200,
      cursor: { sync: { key: "withstand" }, drag: { x: true, y: false } },
      hooks: { drawClear: [shadeWarmUp] },
      scales: { x: { time: false }, y: { range: (_u, _low, high) => [0, (high || 1) * 1.08] } },
      axes: [
        { ...axis, size: 30, values: (_u, ticks) => ticks.map((tick) => `${tick} s`) },
        { ...axis, size: 64, values: (_u, ticks) => ticks.map((tick) => `${tick}${unit}`) },
      ],
      series: [
        { label: "second", value: (_u, value) => (value == null ? "" : `${value} s`) },
        ...series.map(({ label, stroke, dash, fill }) => ({
          label, stroke: colour(stroke), width: 2, dash, fill: fill && `${colour(stroke)}22`,
          points: { show: seconds.length < 3 },
          value: (_u, value) => (value == null ? "" : two(value) + unit),
        })),
      ],
    };
    charts.push(new uPlot(options, [seconds, ...series.map((each) => each.values)], box));
  }

  function draw() {
    for (const each of charts) each.destroy();
    charts = [];
    place.replaceChildren();
    const { second, rate, errors, p50, p95 } = data.series[shown];
    if (!second.length) return;
    chart("Requests due and errors, per second", second, [
      { label: "requests", stroke: "--response", values: rate, fill: true },
      { label: "errors", stroke: "--bad", values: errors },
    ], "/s");
    chart("Response time", second, [
      { label: "p50", stroke: "--median", values: p50, dash: [6, 4] },
      { label: "p95", stroke: "--response", values: p95 },
    ], " ms");
    if (data.memory.second.length > 1) {
      chart("Server memory", data.memory.second, [
        { label: "resident", stroke: "--response", values: data.memory.mb, fill: true },
      ], " MB");
    }
  }

  let width = 0;
  new ResizeObserver(() => {
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    for (const each of charts) each.setSize({ width, height: 200 });
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
