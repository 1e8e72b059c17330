"use strict";
/*
 * Draws every chart of the dashboard.
 *
 * A chart is an element with data-chart, the name of a drawing below, and data-source, the id of the JSON script that
 * holds its numbers. Colours come from the page's own variables, so that a chart follows the colour scheme. Texts are
 * drawn on the canvas: what comes from people is never put into the page as markup.
 */
(() => {
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();

  function palette() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
      ink: colour("--ink"),
      soft: colour("--ink-soft"),
      line: colour("--line"),
      strong: colour("--line-strong"),
      surface: colour("--surface"),
      accent: colour("--accent"),
      warn: colour("--warn"),
      font: style.fontFamily || "sans-serif",
    };
  }

  function frame(colours) {
    return {
      animation: !calm.matches,
      animationDuration: 250,
      textStyle: { fontFamily: colours.font, color: colours.ink },
      tooltip: {
        renderMode: "richText",
        confine: true,
        backgroundColor: colours.surface,
        borderColor: colours.strong,
        textStyle: { color: colours.ink, fontSize: 13 },
      },
      grid: bounds(10),
    };
  }

  /* Axes with their labels and names fill what the chart's element leaves: nothing is cut off on a narrow screen. */
  function bounds(top, right = 18) {
    return { left: 4, right, top, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "all" };
  }

  function axis(colours, name, more) {
    return {
      name,
      nameLocation: "middle",
      nameGap: 28,
      nameTextStyle: { color: colours.soft, fontSize: 12 },
      axisLabel: { color: colours.soft, fontSize: 12, hideOverlap: true },
      axisLine: { onZero: false, lineStyle: { color: colours.strong } },
      axisTick: { lineStyle: { color: colours.strong } },
      splitLine: { lineStyle: { color: colours.line } },
      ...more,
    };
  }

  function countAxis(colours, name) {
    return axis(colours, name, { type: "value", minInterval: 1, nameGap: 36, axisLine: { show: false } });
  }

  function bars(colours, data) {
    return { type: "bar", data, barMaxWidth: 28, barCategoryGap: "20%", itemStyle: { color: colours.accent } };
  }

  /* {x_name, y_name, rows: [[label, count]]} */
  function drawCounts(numbers, colours) {
    return {
      ...frame(colours),
      tooltip: { ...frame(colours).tooltip, trigger: "axis", axisPointer: { type: "shadow" } },
      xAxis: axis(colours, numbers.x_name, {
        type: "category",
        data: numbers.rows.map(([label]) => label),
        splitLine: { show: false },
        axisTick: { alignWithLabel: true, lineStyle: { color: colours.strong } },
        // Each of a few is named, however little room there is.
        ...(numbers.rows.length <= 3 && { axisLabel: { color: colours.soft, fontSize: 12, interval: 0 } }),
      }),
      yAxis: countAxis(colours, numbers.y_name),
      series: [{ ...bars(colours, numbers.rows.map(([, count]) => count)), name: numbers.y_name }],
    };
  }

  /* {x_names: {base, tuned}, y_name, points: [{id, base, tuned, human, ...}]} */
  function drawScatter(numbers, colours, state) {
    const model = state.model;
    const values = numbers.points.flatMap((point) => [point.base, point.tuned]);
    const at = (point) => [point[model], point.human];
    const chosen = numbers.points.find((point) => point.id === state.chosen);
    const colour = model === "tuned" ? colours.accent : colours.soft;
    return {
      ...frame(colours),
      tooltip: {
        ...frame(colours).tooltip,
        trigger: "item",
        formatter: (hit) => `cosine ${hit.value[0].toFixed(3)}\npeople ${hit.value[1].toFixed(1)} of 10`,
      },
      xAxis: axis(colours, numbers.x_names[model], {
        type: "value",
        // One range for both models, so that the toggle moves the points and not the axis.
        min: Math.floor(Math.min(...values) * 10) / 10,
        max: Math.ceil(Math.max(...values) * 10) / 10,
        axisLabel: { color: colours.soft, fontSize: 12, hideOverlap: true, formatter: (value) => value.toFixed(1) },
      }),
      yAxis: axis(colours, numbers.y_name, { type: "value", min: 0, max: 10, interval: 2 }),
      series: [
        {
          type: "scatter",
          id: "pairs",
          symbolSize: 11,
          cursor: "pointer",
          itemStyle: { color: colour, opacity: 0.7, borderColor: colours.surface, borderWidth: 1 },
          emphasis: { scale: 1.5, itemStyle: { opacity: 1 } },
          data: numbers.points.map((point) => ({ value: at(point), name: String(point.id) })),
        },
        {
          type: "scatter",
          id: "chosen",
          silent: true,
          symbolSize: 19,
          z: 6,
          itemStyle: { color: "transparent", borderColor: colours.warn, borderWidth: 3 },
          data: chosen ? [at(chosen)] : [],
        },
      ],
    };
  }

  /* {x_name, loss_name, validation_name, loss: [[step, value]], validation: [[step, value]]} */
  function drawCourse(numbers, colours) {
    const side = (name, colour, more) =>
      axis(colours, name, { type: "value", scale: true, nameGap: 42, nameTextStyle: { color: colour, fontSize: 12 }, ...more });
    return {
      ...frame(colours),
      animation: false,
      tooltip: { ...frame(colours).tooltip, trigger: "axis", valueFormatter: (value) => value?.toFixed(3) ?? "–" },
      xAxis: axis(colours, numbers.x_name, { type: "value", min: 0, minInterval: 1, splitLine: { show: false } }),
      yAxis: [
        side(numbers.loss_name, colours.soft),
        side(numbers.validation_name, colours.accent, { splitLine: { show: false } }),
      ],
      series: [
        {
          name: numbers.loss_name,
          type: "line",
          showSymbol: numbers.loss.length === 1,
          lineStyle: { width: 1.5, color: colours.soft },
          itemStyle: { color: colours.soft },
          data: numbers.loss,
        },
        {
          name: numbers.validation_name,
          type: "line",
          yAxisIndex: 1,
          z: 3,
          symbol: "circle",
          symbolSize: 7,
          lineStyle: { width: 2.5, color: colours.accent },
          itemStyle: { color: colours.accent },
          data: numbers.validation,
        },
      ],
    };
  }

  const drawings = { counts: drawCounts, scatter: drawScatter, course: drawCourse };

  function draw(element) {
    const chart = drawn.get(element);
    chart.instance.setOption(drawings[element.dataset.chart](chart.numbers, palette(), chart.state), true);
  }

  function listenToPoints(element, chart) {
    chart.instance.on("click", { seriesId: "pairs" }, (hit) => {
      element.dispatchEvent(new CustomEvent("earmark:point", { bubbles: true, detail: { id: Number(hit.name) } }));
    });
  }

  function sourceOf(element) {
    return document.getElementById(element.dataset.source).textContent;
  }

  /* Draws a chart anew whose numbers have changed: an element with hx-morph-skip stays when its page refreshes. */
  function follow(element, chart) {
    const text = sourceOf(element);
    if (text === chart.text) return;
    Object.assign(chart, { text, numbers: JSON.parse(text) });
    draw(element);
  }

  function start(element) {
    const instance = window.echarts.init(element, null, { renderer: "canvas" });
    const text = sourceOf(element);
    drawn.set(element, { instance, text, numbers: JSON.parse(text), state: { model: "tuned", chosen: null } });
    if (element.dataset.chart === "scatter") listenToPoints(element, drawn.get(element));
    sizes.observe(element);
    draw(element);
  }

  const sizes = new ResizeObserver((entries) => {
    for (const entry of entries) drawn.get(entry.target)?.instance.resize();
  });

  function startNew() {
    for (const [element, chart] of drawn) {
      if (element.isConnected) {
        follow(element, chart);
        continue;
      }
      sizes.unobserve(element);
      chart.instance.dispose();
      drawn.delete(element);
    }
    for (const element of document.querySelectorAll("[data-chart]")) if (!drawn.has(element)) start(element);
  }

  function changeScatters(change) {
    for (const [element, chart] of drawn) {
      if (element.dataset.chart !== "scatter") continue;
      Object.assign(chart.state, change);
      draw(element);
    }
  }

  document.addEventListener("change", (event) => {
    if (event.target.name === "scatter-model") changeScatters({ model: event.target.value });
  });
  document.addEventListener("earmark:chosen", (event) => changeScatters({ chosen: event.detail.id }));
  document.addEventListener("htmx:after:swap", startNew);
  dark.addEventListener("change", () => drawn.forEach((_, element) => draw(element)));
  startNew();
})();
