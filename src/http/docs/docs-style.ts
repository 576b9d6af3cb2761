/** Of /docs; the colours are those of the other pages. */
export const DOCS_STYLE = `
:root {
  --ground: #f6f7f5; --paper: #fff; --ink: #1b2320; --quiet: #5d6965; --line: #dfe4e1;
  --brand: #0f766e; --good: #15803d; --bad: #b91c1c; --code: #edf0ee;
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  color: var(--ink); background: var(--ground);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131816; --paper: #1b2220; --ink: #e6ece9; --quiet: #98a6a1; --line: #303a36;
    --brand: #2dab9f; --good: #4ade80; --bad: #f87171; --code: #252e2b;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100dvh; overflow-y: auto; padding: 1.5rem 1.25rem; border-inline-end: 1px solid var(--line); background: var(--paper); }
nav h1 { font-size: 1.1rem; margin: 0 0 .25rem; }
nav h2 { font-size: .78rem; text-transform: uppercase; letter-spacing: .05em; color: var(--quiet); margin: 1.4rem 0 .3rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; padding: .2rem 0; color: inherit; text-decoration: none; font-size: .93rem; }
nav li a:hover { color: var(--brand); text-decoration: underline; }
main { max-width: 58rem; padding: 1.5rem 2rem 4rem; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.4rem 1.3rem; margin: 1.2rem 0; }
section > h2 { margin: 0 0 .4rem; font-size: 1.15rem; }
h3 { font-size: .95rem; margin: 1.1rem 0 .3rem; }
article { border-top: 1px solid var(--line); margin-top: .9rem; }
p { margin: .35rem 0; }
a { color: var(--brand); }
code { font: .87em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--code); border-radius: 4px; padding: .08em .3em; overflow-wrap: anywhere; }
.route { font-size: 1rem; }
.route b { font-size: .78rem; letter-spacing: .03em; border-radius: 5px; padding: .18rem .5rem; color: #fff; background: var(--quiet); }
.route b.get { background: #1d4ed8; }
.route b.post { background: #0f766e; }
.quiet, small { color: var(--quiet); }
.fields { margin: .3rem 0 0; }
.fields > div { display: grid; grid-template-columns: minmax(9rem, 15rem) minmax(0, 1fr); gap: .2rem 1rem; padding: .35rem 0; border-top: 1px solid var(--line); }
.fields > div:first-child { border-top: 0; }
.answers > div { grid-template-columns: 3.5rem minmax(0, 1fr); }
dt { font-weight: 400; overflow-wrap: anywhere; }
dd { margin: 0; min-width: 0; }
.good { color: var(--good); }
.bad { color: var(--bad); }
details { margin: .25rem 0; }
summary { cursor: pointer; color: var(--brand); }
details .fields { border-inline-start: 2px solid var(--line); padding-inline-start: .8rem; }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
@media (max-width: 52rem) {
  body { display: block; }
  nav { position: static; height: auto; border-inline-end: 0; border-bottom: 1px solid var(--line); }
  main { padding: 1rem; }
  section { padding: 1rem; }
  .fields > div { grid-template-columns: 1fr; }
  .answers > div { grid-template-columns: 3rem minmax(0, 1fr); }
}
`;
