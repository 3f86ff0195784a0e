// A reliability diagram for people who read text: what was promised in each band, and what came true.
import { expectedCalibrationError, reliability, type Judged } from '../calibration/reliability.policy.ts'

const WIDTH = 40
const percent = (share: number): string => `${(100 * share).toFixed(1).padStart(5)} %`

/** One line a band; `#` is the share that was right, `|` where it should be. The last line is the expected calibration error. */
export const reliabilityDiagram = (rows: readonly Judged[], bins = 10): readonly string[] => {
  const lines = reliability(rows, { bins })
    .filter((band) => band.rows > 0)
    .map(({ from, to, rows: count, confidence, right }) => {
      const bar = '#'.repeat(Math.round(right * WIDTH)).padEnd(WIDTH + 1)
      const mark = Math.round(confidence * WIDTH)
      return `${from.toFixed(2)}–${to.toFixed(2)} ${bar.slice(0, mark)}|${bar.slice(mark + 1)} said ${percent(confidence)} right ${percent(right)} n ${count}`
    })
  return [...lines, `expected calibration error ${expectedCalibrationError(rows, { bins }).toFixed(4)}, n ${rows.length}`]
}
