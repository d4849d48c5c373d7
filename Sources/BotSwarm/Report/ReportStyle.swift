/// The style sheet of the HTML report.
///
/// The colours of lines differ in lightness as well as in hue, so that they can be told apart with any colour vision
/// and in print; text has a contrast of 4.5:1 or more in both modes. Results carry a sign and a word, never a colour
/// alone.
enum ReportStyle {
  static let sheet = """
    :root {
      --page: #f6f7f9; --card: #ffffff; --ink: #16191d; --soft: #565d66; --rule: #e2e5ea; --steady: #2456b814;
      --s0: #1d4fb8; --s1: #c2540a; --s2: #6f7782; --s3: #8a3fa0; --ok: #17663a; --bad: #a81c22; --unsure: #7a5200; --limit: #a81c22;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #111417; --card: #1a1e23; --ink: #e9ecf0; --soft: #a2abb6; --rule: #2f353d; --steady: #7fa8ff17;
        --s0: #86adff; --s1: #ffa35c; --s2: #98a1ac; --s3: #d79bea; --ok: #6fd598; --bad: #ff8b8f; --unsure: #f0c463; --limit: #ff8b8f;
      }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
    main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px; display: grid; grid-template-columns: 1fr 1fr; gap: 16px; align-items: start; }
    h1, .sub, .verdict, .tiles, .wide { grid-column: 1 / -1; }
    h1 { font-size: 24px; margin: 0; line-height: 1.2; }
    .sub { margin: -10px 0 0; color: var(--soft); }
    h2 { font-size: 16px; margin: 0; }
    section, .tile { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 16px 18px; min-width: 0; }
    .verdict { border-left: 6px solid var(--ok); }
    .verdict.failed { border-left-color: var(--bad); }
    .verdict.inconclusive { border-left-color: var(--unsure); }
    .verdict .line { font-size: 19px; font-weight: 650; margin: 0 0 4px; color: var(--ok); overflow-wrap: anywhere; }
    .verdict.failed .line { color: var(--bad); }
    .verdict.inconclusive .line { color: var(--unsure); }
    td.ok { color: var(--ok); white-space: nowrap; } td.bad { color: var(--bad); font-weight: 650; white-space: nowrap; }
    .tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: 12px; }
    .tile { padding: 12px 14px; } .tile b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .tile span { color: var(--soft); font-size: 13px; line-height: 1.3; display: block; }
    .note { color: var(--soft); font-size: 13px; margin: 2px 0 8px; }
    .legend { font-size: 13px; margin-bottom: 4px; } .key { margin-right: 16px; white-space: nowrap; }
    .swatch { display: inline-block; width: 18px; height: 0; border-top: 3px solid; vertical-align: middle; margin-right: 6px; }
    .swatch.s0 { border-color: var(--s0); } .swatch.s1 { border-color: var(--s1); } .swatch.s2 { border-color: var(--s2); border-top-style: dotted; }
    .swatch.s3 { border-color: var(--s3); border-top-style: dashed; }
    .swatch.limit { border-color: var(--limit); border-top-style: dashed; border-top-width: 2px; }
    svg { width: 100%; height: auto; display: block; }
    .grid { stroke: var(--rule); } .tick { fill: var(--soft); font-size: 13px; font-variant-numeric: tabular-nums; }
    .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
    .line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); } .line.s2 { stroke: var(--s2); stroke-dasharray: 1 5; } .line.s3 { stroke: var(--s3); stroke-dasharray: 6 5; }
    .bar.s0 { fill: var(--s0); } line.limit { stroke: var(--limit); stroke-dasharray: 7 5; stroke-width: 1.6; }
    .steady { fill: var(--steady); } .hover { fill: transparent; } .hover:hover { fill: var(--ink); fill-opacity: 0.07; }
    details { margin-top: 8px; font-size: 13px; } summary { cursor: pointer; color: var(--soft); }
    details > table { display: block; max-height: 320px; overflow: auto; }
    table { border-collapse: collapse; font-size: 13px; margin-top: 8px; font-variant-numeric: tabular-nums; }
    th { text-align: left; color: var(--soft); font-weight: 600; } th, td { padding: 3px 14px 3px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
    @media (max-width: 820px) { main { grid-template-columns: minmax(0, 1fr); } .tiles { grid-template-columns: repeat(2, 1fr); } }
    """
}
