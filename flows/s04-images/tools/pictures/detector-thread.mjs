// The thread of the detector: nsfwjs with the weights of its package, on the processor. Nothing is downloaded.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'

const SIDE = 224
/** Classes that must not be shown, and how much each counts. Drawings and what is only sexy are for the thresholds of others. */
const COUNTS = { Porn: 1, Hentai: 1, Sexy: 0.5 }

const load = async () => {
  console.info = () => {} // It praises other models.
  const require = createRequire(import.meta.url)
  const tf = require(workerData['@tensorflow/tfjs'])
  const { createCanvas, loadImage } = require(workerData['@napi-rs/canvas'])
  const core = createRequire(workerData.nsfwjs)('nsfwjs/core')
  // The files themselves: the package's own loader takes twenty seconds for them, letter by letter.
  const weights = join(dirname(workerData.nsfwjs), '..', 'models', 'mobilenet_v2')
  await tf.setBackend('cpu')
  await tf.ready()
  const model = await core.load('MobileNetV2', {
    modelDefinitions: [
      {
        name: 'MobileNetV2',
        numOfWeightBundles: 1,
        modelJson: async () => ({ default: require(join(weights, 'model.min.js')) }),
        weightBundles: [async () => ({ default: require(join(weights, 'group1-shard1of1.min.js')) })],
      },
    ],
  })
  return { tf, createCanvas, loadImage, model }
}

/** Pixels of a picture; undefined for what is none, or is damaged inside. */
const pixelsOf = async ({ createCanvas, loadImage }, picture) => {
  const image = await loadImage(Buffer.from(picture)).catch(() => undefined)
  if (image === undefined) return undefined
  const context = createCanvas(SIDE, SIDE).getContext('2d')
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, SIDE, SIDE)
  context.drawImage(image, 0, 0, SIDE, SIDE)
  const { data } = context.getImageData(0, 0, SIDE, SIDE)
  return Int32Array.from({ length: SIDE * SIDE * 3 }, (_, at) => data[Math.floor(at / 3) * 4 + (at % 3)])
}

const look = async (loaded, picture) => {
  const { tf, model } = loaded
  const pixels = await pixelsOf(loaded, picture)
  if (pixels === undefined) return { unreadable: true }
  const tensor = tf.tensor3d(pixels, [SIDE, SIDE, 3], 'int32')
  try {
    const classes = await model.classify(tensor)
    const [{ className: label, probability }] = classes.toSorted(
      (left, right) => (COUNTS[right.className] ?? 0) * right.probability - (COUNTS[left.className] ?? 0) * left.probability,
    )
    const score = classes.reduce((sum, one) => sum + (COUNTS[one.className] ?? 0) * one.probability, 0)
    return { found: { score: Math.min(1, Math.round(score * 1e4) / 1e4), label, probability } }
  } finally {
    tensor.dispose()
  }
}

let loading
let before = Promise.resolve()
parentPort.on('message', ({ id, picture }) => {
  before = before.then(async () => {
    try {
      loading ??= load()
      const loaded = await loading
      parentPort.postMessage({ id, loaded: true })
      parentPort.postMessage({ id, ...(await look(loaded, picture)) })
    } catch (error) {
      parentPort.postMessage({ id, failed: String(error?.message ?? error).slice(0, 300) })
    }
  })
})
