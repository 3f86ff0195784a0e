// PASS and FAIL lines, and the exit code they add up to.
export const createChecks = () => {
  let failed = 0
  let passed = 0
  return {
    check: (what, ok, detail = '') => {
      if (ok) passed += 1
      else failed += 1
      process.stdout.write(`${ok ? 'PASS' : 'FAIL'} ${what}${detail === '' ? '' : ` (${detail})`}\n`)
      return ok
    },
    end: () => {
      process.stdout.write(`${passed} passed, ${failed} failed\n`)
      return failed === 0 ? 0 : 1
    },
  }
}
