//! The report's style: one column, light and dark, and on paper.

/// The style sheet that stands within the page.
pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c2333; --soft: #5a6478; --paper: #ffffff; --line: #d7dce5;
  --k1: #2f5fd0; --k2: #b3541e; --k3: #1f7a4d; --k4: #7b3fa0; --k5: #8a6d00; --k6: #0e7490; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf2; --soft: #a3adc2; --paper: #12161f;
  --line: #333b4d; --k1: #8fb0ff; --k2: #f0a070; --k3: #6fcf9b; --k4: #cf9ff0; --k5: #e3c65a;
  --k6: #67d3e8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .4rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p, li { max-width: 46rem; }
.soft, caption, figcaption, th { color: var(--soft); }
ul.say { padding-left: 1.1rem; } ul.say li { margin: .35rem 0; }
figure { margin: 1rem 0 1.6rem; } svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .soft { fill: var(--soft); } svg .rule { stroke: var(--line); fill: none; }
.k1 { --k: var(--k1); } .k2 { --k: var(--k2); } .k3 { --k: var(--k3); }
.k4 { --k: var(--k4); } .k5 { --k: var(--k5); } .k6 { --k: var(--k6); }
svg .bar { fill: var(--k); } svg .pale { fill: var(--k); opacity: .35; }
svg .whisker { stroke: var(--ink); fill: none; }
.key { display: inline-block; width: .8em; height: .8em; margin-right: .4em; background: var(--k); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .3rem 0; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  font-weight: normal; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td.better, td.worse, td.indistinguishable { white-space: normal; min-width: 8.5rem; }
td.better { font-weight: 600; } td.better::before { content: '▲ '; color: var(--k3); }
td.worse::before { content: '▼ '; color: var(--k2); }
td.indistinguishable { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { color: var(--soft); } dd { margin: 0; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } figure, table { break-inside: avoid; } }
";
