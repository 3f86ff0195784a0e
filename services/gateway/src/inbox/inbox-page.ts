/** The inbox: what waits for people, and one task with everything needed to decide. */
export const INBOX_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Inbox · Baton</title>
<link rel="stylesheet" href="/inbox/style.css">
<script type="module" src="/inbox/app.js"></script>
</head>
<body>
<header>
<h1>Inbox</h1>
<label>You <input id="who" autocomplete="username" maxlength="200" placeholder="your name"></label>
<label>Queue <input id="queue" maxlength="200" placeholder="all"></label>
<label>Show <select id="status"><option value="open">open</option><option value="escalated">escalated</option><option value="decided">decided</option><option value="all">all</option></select></label>
<span id="live" class="quiet">connecting …</span>
</header>
<div id="panes">
<section id="list" aria-label="Tasks"><ul id="tasks" role="listbox" aria-label="Tasks, most urgent first" tabindex="0"></ul><button id="more" hidden>More</button></section>
<section id="detail" aria-label="Task"><p class="quiet">Nothing is selected. <kbd>J</kbd> and <kbd>K</kbd> go down and up.</p></section>
</div>
<footer><kbd>J</kbd> next <kbd>K</kbd> previous <kbd>C</kbd> claim <kbd>A</kbd> approve <kbd>E</kbd> edit or answer <kbd>R</kbd> reject <kbd>U</kbd> take back <kbd>Esc</kbd> leave</footer>
<p id="said" role="status" aria-live="polite"></p>
</body>
</html>
`
