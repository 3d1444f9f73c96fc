"""The style sheet of the page."""

STYLE = """
:root{color-scheme:light dark;--paper:#f5f6f8;--card:#fff;--ink:#18212c;--soft:#5a6776;--rule:#dce2e9;
--accent:#1f6391;--fill:#1f639122;--good:#17693f;--good-fill:#dff3e7;--warn:#805600;--warn-fill:#fcf0d0;
--bad:#a51d12;--bad-fill:#fce3e0}
@media (prefers-color-scheme:dark){:root{--paper:#10151b;--card:#19212a;--ink:#e4eaf0;--soft:#98a6b5;--rule:#2d3946;
--accent:#6db3e2;--fill:#6db3e226;--good:#7fd6a3;--good-fill:#173524;--warn:#e9c46a;--warn-fill:#3a2f12;
--bad:#f59a90;--bad-fill:#43201c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 48px}
header{display:flex;flex-wrap:wrap;gap:4px 24px;align-items:baseline;justify-content:space-between;margin-bottom:16px}
h1{font-size:26px;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:16px;margin:0 0 10px}
h3{font-size:13.5px;margin:14px 0 4px}
header p,.note{margin:0;color:var(--soft)}
.note{font-size:13px;margin:-6px 0 10px}
.banner{background:var(--warn-fill);color:var(--warn);border-radius:8px;padding:10px 14px;margin:0 0 16px;
overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(168px,1fr));gap:12px;margin-bottom:16px}
.card,section{background:var(--card);border:1px solid var(--rule);border-radius:10px}
.card{padding:12px 14px}
.card .label{color:var(--soft);font-size:12.5px}
.card .figure{font-size:22px;line-height:1.35;font-weight:600;font-variant-numeric:tabular-nums}
.card .under{color:var(--soft);font-size:12.5px;font-variant-numeric:tabular-nums}
section{padding:16px 18px;margin-bottom:16px}
.halves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:0 16px}
.scroll{overflow-x:auto}
.scroll .chart{min-width:640px}
.caption{margin:4px 0 12px;color:var(--soft);font-size:13px}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:6px 8px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap;vertical-align:top}
th{color:var(--soft);font-weight:600;font-size:12.5px}
th.word,td.word{text-align:left}
td.word{overflow-wrap:anywhere;white-space:normal}
tbody tr:last-child td{border-bottom:0}
small{color:var(--soft);font-size:12px}
td small{display:block}
.badge{display:inline-block;border-radius:99px;padding:0 9px;font-size:12px;font-weight:600;line-height:20px}
.plain{background:var(--rule)}
.good{background:var(--good-fill);color:var(--good)}
.warn{background:var(--warn-fill);color:var(--warn)}
.bad{background:var(--bad-fill);color:var(--bad)}
.lack{color:var(--soft);font-style:italic;font-weight:400;font-size:13px}
.bar{display:inline-block;width:88px;height:8px;border-radius:4px;background:var(--rule);overflow:hidden;
margin-right:8px;vertical-align:middle}
.bar i{display:block;height:100%;background:var(--accent)}
.bar.soft i{background:var(--warn)}
.bar.hard i{background:var(--bad)}
.chart{display:block;width:100%;height:auto}
.chart text{font-size:11px;fill:var(--soft);font-family:inherit}
.chart .grid{stroke:var(--rule)}
.chart .axis{stroke:var(--soft)}
.chart polyline{fill:none;stroke-width:1.4;stroke-linejoin:round}
.chart .main{stroke:var(--accent)}
.chart .quiet{stroke:var(--soft);stroke-width:1}
.chart .loss{stroke:var(--bad)}
.chart .under-main{fill:var(--fill)}
.chart .under-loss{fill:var(--bad);fill-opacity:.16}
.chart .exception{fill:var(--bad)}
dl{margin:0;font-size:13.5px}
dl div{display:grid;grid-template-columns:minmax(120px,240px) 1fr;gap:2px 16px;padding:4px 0;
border-bottom:1px solid var(--rule)}
dl div:last-child{border-bottom:0}
dt{font-weight:600;overflow-wrap:anywhere}
dd{margin:0;color:var(--soft);overflow-wrap:anywhere}
code{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media (max-width:560px){dl div{grid-template-columns:1fr}}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#bbb;--accent:#1f6391;
--fill:#1f639122;--good:#17693f;--good-fill:#fff;--warn:#805600;--warn-fill:#fff;--bad:#a51d12;--bad-fill:#fff}
body{font-size:11px}main{max-width:none;padding:0}section,.card{break-inside:avoid;border-color:#bbb}
section.long{break-inside:auto}.badge{border:1px solid currentcolor}.scroll{overflow:visible}.scroll .chart{min-width:0}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}@page{margin:14mm}}
"""
