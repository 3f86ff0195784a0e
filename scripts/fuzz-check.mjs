// Nightly: mutated flows through the checker for a minute, or `--seconds N`; `--seed N` repeats a run. Needs a build.
const { main } = await import('../test/proof/check-fuzz.mjs')
process.exit(await main(process.argv.slice(2)))
