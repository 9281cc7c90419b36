/** Light and dark follow the reader's system. Colours as in the editor's default themes. */
export const pageStyle = `
:root{--bg:#fff;--fg:#3b3b3b;--strong:#1f1f1f;--dim:#616161;--line:#e5e5e5;--code:#f5f5f5;--accent:#005fb8;--think:#652d90;--bad:#b01011;--ins:#dafbe1;--del:#ffebe9;--mark:#f8c9ab}
@media (prefers-color-scheme:dark){:root{--bg:#1f1f1f;--fg:#ccc;--strong:#fff;--dim:#9d9d9d;--line:#2f2f2f;--code:#282828;--accent:#3794ff;--think:#c594e0;--bad:#f48771;--ins:#233c2a;--del:#4a2424;--mark:#623315}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:13px/20px system-ui,-apple-system,"Segoe UI",sans-serif;unicode-bidi:isolate}
h1{margin:0;font-size:15px;line-height:24px;font-weight:600;color:var(--strong);overflow-wrap:anywhere}
p,dl,dd,figure,pre{margin:0}b{font-weight:600;color:var(--strong)}.dim{color:var(--dim)}.bad{color:var(--bad)}
header{padding:12px 16px}header p{overflow-wrap:anywhere}.sum{display:flex;justify-content:space-between;gap:8px 32px;flex-wrap:wrap;margin-top:8px}
dl{display:flex;flex-wrap:wrap;gap:4px 28px}dt{font-size:11px;line-height:16px;color:var(--dim)}dd{white-space:nowrap}dd .dim{font-size:11px}
figcaption{font-size:11px;line-height:16px}rect.full{fill:none;stroke:var(--accent)}rect.cached{fill:var(--accent)}.key{display:inline-block;width:8px;height:8px;border:1px solid var(--accent);margin:0 4px 0 6px}.key.cached{background:var(--accent)}
.bar{position:sticky;top:0;z-index:2;display:flex;flex-wrap:wrap;align-items:center;gap:4px 8px;padding:6px 16px;background:var(--bg);border:solid var(--line);border-width:1px 0}
.bar .show{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:center;margin-left:auto}.bar input[type=checkbox]{vertical-align:-2px;accent-color:var(--accent)}
.bar input[type=search]{font:inherit;color:inherit;background:var(--code);border:1px solid var(--line);border-radius:2px;padding:1px 6px;width:220px}
button{font:inherit;color:inherit;background:var(--code);border:1px solid var(--line);border-radius:2px;padding:0 8px;cursor:pointer}
:focus-visible{outline:1px solid var(--accent);outline-offset:1px}output{min-width:64px}
.x{display:grid;grid-template-columns:48px minmax(0,1fr) 72px 60px 56px 72px 72px;gap:0 8px;padding:6px 16px 8px 8px;border-bottom:1px solid var(--line)}
section.x{content-visibility:auto;contain-intrinsic-size:auto 120px}.x:target{box-shadow:inset 2px 0 0 var(--accent)}
.heads{font-size:11px;line-height:16px;color:var(--dim);padding-top:4px;padding-bottom:4px}.heads span{text-align:right}.heads span:nth-child(2){text-align:left;padding-left:8px}
.no{text-align:right;display:flex;flex-direction:column}.no .dim{font-size:11px;line-height:16px}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.n .name{display:none}
.talk{padding:0 16px 0 8px;border-right:1px solid var(--line);min-width:0}.said{margin-bottom:4px}.said>p{white-space:pre-wrap;overflow-wrap:anywhere;max-width:88ch;unicode-bidi:plaintext}
.you{border-left:2px solid var(--accent);padding-left:8px}.think summary b{color:var(--think);font-style:italic;font-weight:400}.note summary b{font-weight:400;color:var(--dim)}
summary{display:flex;gap:8px;align-items:baseline;cursor:pointer;list-style:none;min-height:22px}summary::-webkit-details-marker{display:none}
summary::before{content:"›";color:var(--dim);width:8px;flex:none}details[open]>summary::before{content:"⌄"}summary:hover{background:var(--code)}
summary b{flex:none}.head{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}details[open]>summary .head{visibility:hidden}.size,summary .bad,summary>.dim{flex:none;font-size:11px}
.code,pre{font:12px/20px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}pre{background:var(--code);padding:4px 8px;margin:2px 0 4px 16px;white-space:pre-wrap;overflow-wrap:anywhere;max-height:60vh;overflow:auto;unicode-bidi:plaintext}
pre.out{border-left:2px solid var(--line)}ins,del{text-decoration:none;display:inline-block;width:100%}ins{background:var(--ins)}del{background:var(--del)}
.error{color:var(--bad);overflow-wrap:anywhere}.none{padding:16px}footer{padding:16px;font-size:11px}
.current{outline:1px solid var(--accent)}::highlight(found){background:var(--mark);color:var(--strong)}
body:has(#messages:not(:checked)) :is(.you,.agent),body:has(#tools:not(:checked)) .tool,body:has(#reasoning:not(:checked)) .think,body:has(#notes:not(:checked)) .note{display:none}
@media (max-width:800px){.heads{display:none}.x{grid-template-columns:32px repeat(5,auto) minmax(0,1fr)}.talk{grid-column:2/-1;border:0;padding-right:0}.no{grid-row:1/3}.n{font-size:11px;text-align:left}.n .name{display:inline;color:var(--dim)}.no+.talk+.n{padding-left:8px}}
@media print{.bar{display:none}section.x{content-visibility:visible}pre{max-height:none}.x{break-inside:auto}summary{break-after:avoid}body{font-size:11px}}
`;
