import { BarChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use, type ECharts, type EChartsCoreOption } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { onBeforeUnmount, onMounted, watch, type Ref } from "vue";
import { cssColour, themeShown } from "../theme";

use([BarChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

/** What all charts of the board have in common, in the colours shown now. */
export function common(): EChartsCoreOption {
  const text = { color: cssColour("--ink-soft"), fontSize: 12 };
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 4, right: 8, top: 34, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 12, textStyle: text },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow" },
      // Anything else is put in as HTML with inline styles, which the desk's policy blocks.
      renderMode: "richText",
      confine: true,
      backgroundColor: cssColour("--surface"),
      borderColor: cssColour("--control"),
      textStyle: { color: cssColour("--ink"), fontSize: 12 },
    },
  };
}

/** Lines and letters of an axis. */
export function axis(): Record<string, unknown> {
  return {
    axisLabel: { color: cssColour("--ink-soft"), fontSize: 11, hideOverlap: true },
    axisLine: { lineStyle: { color: cssColour("--control") } },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: cssColour("--line") } },
  };
}

/** Keeps a chart in a box: drawn anew with its data, its size and the look. */
export function useChart(
  box: Readonly<Ref<HTMLElement | null>>,
  option: () => EChartsCoreOption,
): void {
  let chart: ECharts | undefined;
  let sizes: ResizeObserver | undefined;
  onMounted(() => {
    if (!box.value) return;
    chart = init(box.value);
    chart.setOption(option());
    sizes = new ResizeObserver(() => chart?.resize());
    sizes.observe(box.value);
  });
  watch([option, themeShown], () => chart?.setOption(option(), { notMerge: true }), {
    flush: "post",
  });
  onBeforeUnmount(() => {
    sizes?.disconnect();
    chart?.dispose();
  });
}
