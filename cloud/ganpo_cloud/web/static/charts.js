// Draws what stands in data-chart with ECharts; where it cannot be had, the table behind "Table" stays as it is.
"use strict";
(() => {
  const places = [...document.querySelectorAll("[data-chart]")];
  if (!places.length) return;
  const ink = "#1A2129", faint = "#5A6672", line = "#D9DEE2", data = "#2C5E83", second = "#7394AC", third = "#85A8C0";
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
  const lines = (chart) => chart.series.map((one, n) => ({
    type: "line", name: one.name, connectNulls: false, showSymbol: false,
    symbol: "circle", symbolSize: 7,
    lineStyle: { width: one.main ? 3 : 2, color: [data, second, third][n] },
    itemStyle: { color: [data, second, third][n], decal: none },
    endLabel: { show: true, formatter: `${one.name} ${told(chart, one.data.findLast((value) => value != null))}`, color: ink, fontSize: 12 },
    labelLayout: { moveOverlap: "shiftY" },
    data: one.data,
    markLine: one.main && chart.target ? {
      silent: true, symbol: "none", lineStyle: { color: ink, width: 2, type: "solid" },
      label: { position: "insideStartTop", formatter: chart.target.name, color: ink, fontSize: 12 },
      data: [{ yAxis: chart.target.value }],
    } : undefined,
  }));

  const option = (chart) => ({
    animation: false,
    textStyle: { fontFamily: family },
    aria: { enabled: true, decal: { show: true }, label: { description: chart.title } },
    grid: { left: 8, right: chart.kind === "line" ? 120 : 8, top: 16, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis", valueFormatter: (value) => told(chart, value) },
    xAxis: { type: "category", data: chart.labels, axisTick: { show: false }, axisLine: { lineStyle: { color: "#7C8893" } }, axisLabel: { color: faint, fontSize: 12, hideOverlap: true } },
    yAxis: { type: "value", min: chart.floor, splitNumber: 4, splitLine: { lineStyle: { color: line } }, axisLabel: { color: faint, fontSize: 12, formatter: (value) => told(chart, value) } },
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
