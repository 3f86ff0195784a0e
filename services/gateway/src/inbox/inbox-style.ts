/** How the inbox looks; light and dark as the reader has it. */
export const INBOX_STYLE = `:root { color-scheme: light dark; --line: #8885; --quiet: #777; --mark: #2a6fdb22; --late: #c62828; --soon: #b26a00; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; height: 100vh; display: grid; grid-template-rows: auto 1fr auto auto; }
header, footer { display: flex; gap: 1rem; align-items: center; padding: .5rem 1rem; border-bottom: 1px solid var(--line); flex-wrap: wrap; }
footer { border: 0; border-top: 1px solid var(--line); color: var(--quiet); font-size: 13px; gap: .5rem; }
h1 { font-size: 1.1rem; margin: 0 1rem 0 0; }
h2 { font-size: 1.15rem; margin: 0 0 .25rem; }
h3 { font-size: .8rem; text-transform: uppercase; letter-spacing: .04em; color: var(--quiet); margin: 1rem 0 .25rem; }
#panes { display: grid; grid-template-columns: minmax(18rem, 26rem) 1fr; min-height: 0; }
#list { border-right: 1px solid var(--line); overflow: auto; }
#detail { overflow: auto; padding: 1rem 1.5rem; }
#tasks { list-style: none; margin: 0; padding: 0; }
#tasks li { padding: .5rem 1rem; border-bottom: 1px solid var(--line); cursor: pointer; }
#tasks li[aria-selected=true] { background: var(--mark); box-shadow: inset 3px 0 #2a6fdb; }
#tasks .line { display: flex; justify-content: space-between; gap: .5rem; font-size: 13px; color: var(--quiet); }
.late { color: var(--late); font-weight: 600; } .soon { color: var(--soon); font-weight: 600; }
.quiet { color: var(--quiet); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8881; padding: .5rem .75rem; border-radius: 6px; margin: 0; max-height: 22rem; overflow: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } td, th { border-bottom: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
del { background: #c6282822; } ins { background: #2e7d3222; text-decoration: none; }
textarea { width: 100%; min-height: 9rem; font: 13px/1.4 ui-monospace, monospace; }
.actions { display: flex; gap: .5rem; flex-wrap: wrap; margin: 1rem 0 .5rem; }
form { border: 1px solid var(--line); border-radius: 6px; padding: .75rem; display: grid; gap: .5rem; }
#said { margin: 0; padding: 0 1rem .4rem; min-height: 1.6em; font-size: 14px; }
#said.bad { color: var(--late); }
kbd { border: 1px solid var(--line); border-radius: 3px; padding: 0 .3em; font-size: 12px; }
#more { margin: .5rem 1rem; }
@media (max-width: 50rem) { #panes { grid-template-columns: 1fr; grid-template-rows: 40% 1fr; } #list { border-right: 0; border-bottom: 1px solid var(--line); } }
`
