/** Style sheet of the reports: no web font, nothing to load, one column that prints. */
export const reportStyle = `
:root { --ink: #202124; --grey: #5f6368; --line: #dadce0; --soft: #f6f7f9; --good: #00694c; --bad: #a63c00; --link: #005a8d; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 66rem; padding: 2.5rem 1.25rem 4rem; background: white; color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .4rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 .8rem; padding-top: .8rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2.2rem 0 .3rem; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--link); }
.lead, .note, figcaption { color: var(--grey); }
.lead { margin-bottom: 1.2rem; }
.note, figcaption { font-size: .88rem; }
.verdict { padding: .8rem 1rem; border-left: 5px solid var(--good); background: var(--soft); font-weight: 600; }
.verdict.bad { border-color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .9rem; }
table.numbers { width: auto; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--grey); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.status { white-space: nowrap; font-weight: 600; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.missed { color: var(--grey); }
td.found { min-width: 11rem; }
.figures { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: flex-start; }
figure { margin: 1.2rem 0; min-width: 0; }
figure svg { display: block; max-width: 100%; height: auto; }
code, pre { font-family: ui-monospace, 'SFMono-Regular', Consolas, 'DejaVu Sans Mono', monospace; font-size: .86em; }
code { overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .7rem .9rem; margin: .6rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin: .6rem 0; }
summary { cursor: pointer; color: var(--grey); font-size: .9rem; }
dl.pair { display: grid; grid-template-columns: 8.5rem 1fr; gap: .25rem 1rem; margin: .8rem 0 1.6rem; }
dl.pair dt { color: var(--grey); font-size: .9rem; }
dl.pair dd { margin: 0; }
@media (max-width: 40rem) { dl.pair { grid-template-columns: 1fr; } dl.pair dt { margin-top: .5rem; } }
@media print { body { padding: 0; } h3 { break-after: avoid; } figure, tr { break-inside: avoid; } }
`;
