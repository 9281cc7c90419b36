/**
 * Colours of the editor's default themes; light or dark as the reader's system says, always light on paper. Where the system
 * forces its own colours, bars and marks are drawn in them: their shapes tell them apart.
 */
export const reportStyle = `
:root{color-scheme:light;--fg:#3b3b3b;--strong:#1f1f1f;--dim:#5f5f5f;--bg:#fff;--line:#cecece;--green:#388a34;--red:#c72e0f;--orange:#b85c00}
@media (prefers-color-scheme:dark){:root{color-scheme:dark;--fg:#ccc;--strong:#e6e6e6;--dim:#9d9d9d;--bg:#1f1f1f;--line:#3c3c3c;--green:#89d185;--red:#f48771;--orange:#d18616}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:13px/20px system-ui,"Segoe UI",Inter,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:992px;margin:0 auto;padding:32px}
h1,h2,p,ul,dl,dd{margin:0;padding:0}
h1{font-size:24px;line-height:32px;color:var(--strong)}
h2{font-size:15px;line-height:24px;margin-bottom:8px;color:var(--strong)}
b{color:var(--strong);font-weight:600}
header{margin-bottom:16px}
section{margin-bottom:32px}
ul{padding-left:16px}
li{overflow-wrap:anywhere}
.sum{border-top:1px solid var(--line);border-bottom:1px solid var(--line);padding:16px 0;font-size:15px;line-height:24px}
.dim,.cap,dt{color:var(--dim)}
.cap{font-size:11px;line-height:16px;margin-top:4px}
.warn{color:var(--orange)}
table{border-collapse:collapse;width:100%}
th,td{padding:4px 8px;text-align:left;font-weight:400;vertical-align:baseline}
thead th{font-size:11px;line-height:16px;color:var(--dim)}
tbody th,tbody td{border-top:1px solid var(--line)}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
.num{text-align:right;white-space:nowrap}
thead .num.name{white-space:normal;overflow-wrap:anywhere}
.ok{color:var(--green)}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:0 32px;align-items:start}
.ai{width:20%;min-width:96px}
.axis{display:flex;justify-content:space-between}
.axis i{font-style:normal}
.iv{position:relative;display:block;height:12px;border-bottom:1px solid var(--line)}
.iv s{position:absolute;top:5px;height:3px;background:var(--dim)}
.iv i{position:absolute;top:1px;width:3px;height:11px;margin-left:-1px;background:var(--strong)}
.shape{width:12px;height:12px;vertical-align:-1px;fill:none;stroke:var(--fg);stroke-width:1.5}
.shape.on{fill:var(--fg)}
.plot{width:100%;height:auto;font-size:11px;fill:var(--dim)}
.plot .grid{stroke:var(--line)}
.plot .front{fill:none;stroke:var(--dim);stroke-dasharray:4 3}
.plot .point{stroke:var(--fg);stroke-width:1.5}
.plot .point g{fill:var(--bg)}
.plot .point.on g{fill:var(--fg)}
.plot .label{stroke:none;fill:var(--fg)}
.mv{display:inline-block;min-width:40px}
.mk{display:inline-block;width:10px;height:10px;margin-left:3px;border:1px solid var(--green)}
.mk.y{background:var(--green)}
.mk.p{border-color:var(--orange);background:linear-gradient(90deg,var(--orange) 50%,transparent 50%)}
.mk.n{border-color:var(--red);border-radius:50%}
.mk.e{border:1px dashed var(--dim)}
dl>div{display:grid;grid-template-columns:144px minmax(0,1fr);gap:16px;padding:4px 0;border-top:1px solid var(--line)}
dd{overflow-wrap:anywhere}
footer{border-top:1px solid var(--line);padding-top:12px;font-size:11px;line-height:16px}
@media (max-width:720px){main{padding:16px}section{overflow-x:auto}dl>div{grid-template-columns:1fr;gap:0}}
@media screen and (forced-colors:active){:root{--fg:CanvasText;--strong:CanvasText;--dim:CanvasText;--bg:Canvas;--line:CanvasText;--green:CanvasText;--red:CanvasText;--orange:CanvasText}
.iv s,.iv i,.mk{forced-color-adjust:none}}
@page{size:A4;margin:14mm}
@media print{:root{color-scheme:light;--fg:#3b3b3b;--strong:#1f1f1f;--dim:#5f5f5f;--bg:#fff;--line:#cecece;--green:#388a34;--red:#c72e0f;--orange:#b85c00}
main{padding:0;max-width:none}body{font-size:11px;line-height:16px;print-color-adjust:exact;-webkit-print-color-adjust:exact}section,tr{break-inside:avoid}thead{display:table-header-group}}
`;
