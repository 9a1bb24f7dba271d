// Draws what stands in data-chart with ECharts; where it cannot be had, the table behind "Table" stays as it is.
"use strict";
(() => {
  const places = [...document.querySelectorAll("[data-chart]")];
  if (!places.length) return;
  const ink = "#1A2129", faint = "#5A6672", line = "#D9DEE2", data = "#2C5E83", second = "#7394AC", third = "#85A8C0", fourth = "#5A6672", amber = "#C97A00", ahead = "#F7F8F9";
  const colours = [data, second, third, fourth], dashes = ["solid", "solid", "dashed", "dotted"];
  const hatch = { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [1, 5], rotation: -Math.PI / 4, color: "#7D8892" };
  const none = { symbol: "none" };
  const family = getComputedStyle(document.body).fontFamily;

  const amount = (value, lang) => {
    const steps = lang === "zh" ? [[1e8, "亿"], [1e4, "万"]] : [[1e6, " million"], [1e3, " thousand"]];
    const [size, word] = steps.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
    return Number((value / size).toPrecision(4)).toLocaleString("en") + word;
  };
  const told = (chart, value) => (value == null ? "—" : chart.percent ? value.toFixed(1) + "%" : amount(value, chart.lang));

  const unknown = (chart) => {
    if (!chart.unknown.bars.some(Boolean)) return [];
    const top = Math.max(1, ...chart.series.flatMap((one) => one.data.filter((value) => value != null)));
    return [{
      type: "bar", name: chart.unknown.name, barGap: "-100%", barCategoryGap: "25%", tooltip: { valueFormatter: () => "—" },
      data: chart.unknown.bars.map((hidden) => (hidden ? { value: top, itemStyle: { color: "#F0F2F3", decal: hatch } } : { value: null })),
    }];
  };
  const bars = (chart) => chart.series.map((one) => ({
    type: "bar", name: one.name, barCategoryGap: "25%",
    data: one.data.map((value, n) => {
      const pending = chart.pending[n], spread = chart.spread[n];
      if (value == null) return { value: null };
      if (!pending && !spread) return { value, itemStyle: { color: data, decal: none } };
      return { value, itemStyle: { color: "#F0F2F3", decal: hatch, borderColor: data, borderType: "dashed", borderWidth: spread ? 1 : 0.5 } };
    }),
  })).concat(unknown(chart));
  const top = (chart) => {
    const all = [...chart.series.flatMap((one) => one.data), chart.target?.value, ...(chart.ahead?.pace ?? []), ...(chart.ahead?.needed ?? [])];
    return Math.max(chart.floor + 1, ...all.filter((value) => value != null));
  };
  const roof = (chart) => (chart.percent ? Math.min(Math.ceil(top(chart) / 10 + 0.01) * 10, 100) : undefined);
  // From now on: what comes at this pace, dotted, ending in a diamond; and what is needed, dashed.
  const future = (chart) => {
    if (!chart.ahead) return [];
    const past = chart.labels.length, now = chart.series[0].data.at(-1);
    const line = (name, values, style, more) => ({
      type: "line", name, data: [...Array(past - 1).fill(null), now, ...values], symbol: "none",
      lineStyle: style, itemStyle: { color: style.color, decal: none }, z: 3,
      endLabel: { show: true, formatter: `${name} ${told(chart, values.at(-1))}`, color: ink, fontSize: 12 }, labelLayout: { moveOverlap: "shiftY" }, ...more,
    });
    const end = { coord: [past + chart.ahead.pace.length - 1, chart.ahead.pace.at(-1)], symbol: "diamond", symbolSize: 12, itemStyle: { color: "#FFFFFF", borderColor: amber, borderWidth: 2 }, label: { show: false } };
    const found = [line(chart.ahead.words[0], chart.ahead.pace, { color: amber, width: 2, type: "dotted" }, {
      markPoint: { silent: true, data: [end] },
      markArea: { silent: true, itemStyle: { color: ahead }, data: [[{ xAxis: past - 1 }, { xAxis: past + chart.ahead.pace.length - 1 }]] },
    })];
    if (chart.ahead.needed) found.push(line(chart.ahead.words[1], chart.ahead.needed, { color: ink, width: 1.5, type: "dashed" }, { endLabel: { show: false } }));
    return found;
  };
  // Months of which nothing is known are hatched.
  const gaps = (chart) => {
    const missing = chart.labels.map((_, n) => chart.series.every((one) => one.data[n] == null));
    if (!missing.some(Boolean)) return [];
    return [{ type: "bar", name: "—", barWidth: "90%", silent: true, tooltip: { show: false }, data: missing.map((gap) => (gap ? { value: roof(chart) ?? top(chart), itemStyle: { color: "#F0F2F3", decal: hatch } } : { value: null })) }];
  };
  const lines = (chart) => chart.series.map((one, n) => ({
    type: "line", name: one.name, connectNulls: false, showSymbol: true,
    // The month that runs is a hollow point.
    symbol: "circle", symbolSize: (_, at) => (at.dataIndex === chart.labels.length - 1 ? 7 : 0),
    lineStyle: { width: one.main ? 3 : 2, color: colours[n], type: chart.series.length > 3 || !chart.target ? dashes[n] : "solid" },
    itemStyle: { color: "#FFFFFF", borderColor: colours[n], borderWidth: 2, decal: none },
    endLabel: { show: true, formatter: `${one.name} ${told(chart, one.data.findLast((value) => value != null))}`, color: ink, fontSize: 12, offset: [0, chart.ahead && one.main ? 12 : 0] },
    labelLayout: { moveOverlap: "shiftY" },
    data: one.data,
    markLine: one.main && chart.target ? {
      silent: true, symbol: "none", lineStyle: { color: ink, width: 2, type: "solid" },
      label: { position: "insideStartTop", formatter: chart.target.name, color: ink, fontSize: 12 },
      data: [{ yAxis: chart.target.value }],
    } : undefined,
  })).concat(future(chart), gaps(chart));

  const option = (chart) => ({
    animation: false,
    textStyle: { fontFamily: family },
    aria: { enabled: true, decal: { show: true }, label: { description: chart.title } },
    grid: { left: 8, right: chart.kind === "line" ? 120 : 8, top: 16, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis", valueFormatter: (value) => told(chart, value) },
    xAxis: { type: "category", data: [...chart.labels, ...(chart.ahead?.labels ?? [])], axisTick: { show: false }, axisLine: { lineStyle: { color: "#7C8893" } }, axisLabel: { color: faint, fontSize: 12, hideOverlap: true } },
    yAxis: { type: "value", min: chart.floor, max: chart.kind === "line" ? roof(chart) : undefined, splitNumber: 4, splitLine: { lineStyle: { color: line } }, axisLabel: { color: faint, fontSize: 12, formatter: (value) => told(chart, value) } },
    series: chart.kind === "bar" ? bars(chart) : lines(chart),
  });

  const script = document.createElement("script");
  script.src = "/static/vendor/echarts.min.js";
  script.onload = () => {
    for (const place of places) {
      const chart = JSON.parse(place.dataset.chart);
      place.hidden = false;
      place.setAttribute("role", "img");
      place.setAttribute("aria-label", chart.title);
      const drawn = window.echarts.init(place, null, { renderer: "svg" });
      drawn.setOption(option(chart));
      new ResizeObserver(() => drawn.resize()).observe(place);
    }
  };
  script.onerror = () => { for (const place of places) place.closest("section").querySelector("details").open = true; };
  document.head.append(script);
})();
