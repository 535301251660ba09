// uPlot, from where `make` puts it. Its type is in uplot.d.ts.

export { default } from "../../vendor/uplot/uplot.js";
