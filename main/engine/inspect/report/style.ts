/** How often the divergence of a token is told apart by colour: from so many nats on. */
export const heatSteps = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];

const heats = heatSteps
  .map((_, step) => {
    const share = Math.round(((step + 1) / heatSteps.length) * 68);
    return `.h${step + 1}{background:color-mix(in srgb,var(--heat) ${share}%,transparent)}`;
  })
  .join('\n');

/** The looks of a report, light and dark as the reader's system is. */
export const style = `
:root{color-scheme:light dark;--ground:#fff;--panel:#f6f7f9;--ink:#1c2026;--quiet:#5b6470;--line:#d9dde3;--heat:#e0561b;--mark:#0b62c4}
@media (prefers-color-scheme:dark){:root{--ground:#16181c;--panel:#1e2127;--ink:#e6e8eb;--quiet:#9aa3ae;--line:#343a43;--heat:#ff7a3d;--mark:#6db1ff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:32px 24px;max-width:1040px;background:var(--ground);color:var(--ink);font:14px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}
h1{font-size:22px;line-height:1.3;margin:0 0 8px;overflow-wrap:anywhere}
h2{font-size:16px;margin:32px 0 8px}
p{margin:8px 0;max-width:76ch}
.quiet,caption,figcaption,th{color:var(--quiet)}
table{border-collapse:collapse;margin:8px 0;max-width:100%}
.wide{overflow-x:auto}
th{font-weight:500;text-align:left}
th,td{padding:4px 16px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right}
td{overflow-wrap:anywhere}
code,.text,.token{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.text{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:16px;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.9}
.text span{unicode-bidi:isolate;border-radius:3px;padding:2px 0}
.text .written{box-shadow:inset 0 -2px 0 var(--line)}
.text .first{outline:2px solid var(--mark);outline-offset:1px}
.token{unicode-bidi:isolate;white-space:pre-wrap}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0;padding:0;list-style:none;color:var(--quiet)}
.legend i{display:inline-block;width:24px;height:12px;margin-right:8px;border:1px solid var(--line);border-radius:3px;vertical-align:-1px}
figure{margin:8px 0}
svg{display:block;max-width:100%;height:auto}
svg text{fill:var(--quiet);font:11px system-ui,sans-serif}
svg .axis{stroke:var(--line)}
svg .curve{fill:none;stroke:var(--mark);stroke-width:2}
svg .dot{fill:var(--mark)}
footer{margin-top:40px;padding-top:16px;border-top:1px solid var(--line);color:var(--quiet)}
${heats}
@media print{body{padding:0}.text,svg{break-inside:avoid}}
`;

/** Nine colours of viridis, from the least to the most. */
const viridis = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [253, 231, 37],
];

/** A colour of viridis for 0 … 1. */
export function shade(share: number): string {
  const place = Math.min(1, Math.max(0, share)) * (viridis.length - 1);
  const below = Math.min(viridis.length - 2, Math.floor(place));
  const mixed = viridis[below].map((from, channel) => {
    const to = viridis[below + 1][channel];
    return Math.round(from + (to - from) * (place - below));
  });
  return `rgb(${mixed.join(',')})`;
}
