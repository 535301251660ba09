// The type of uPlot, which the copy in static/vendor does not carry.

import uPlot from "uplot";
export default uPlot;
