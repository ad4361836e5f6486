/**
 * Measures the codecs of `node:zlib` on JSON: what an entry costs to compress and inflate, and what it saves. The figures
 * are behind docs/decisions/compression.md. Run: `node benchmarks/codecs.ts`
 */
import { cpus } from 'node:os'
import * as zlib from 'node:zlib'

interface Codec {
  readonly name: string
  readonly compress: (bytes: Buffer) => Buffer
  readonly inflate: (bytes: Buffer) => Buffer
}

interface Cell {
  readonly codec: Codec
  readonly size: string
  readonly bytes: Buffer
  readonly packed: Buffer
  readonly compressTimes: number[]
  readonly inflateTimes: number[]
}

const { constants } = zlib
const rounds = 11
const roundTime = 25
const sizes = { '1 kB': 1024, '4 kB': 4096, '16 kB': 16_384, '100 kB': 102_400 }

const codecs: readonly Codec[] = [
  ...(typeof zlib.zstdCompressSync === 'function' ? [zstd(1), zstd(3)] : []),
  brotli(1),
  brotli(4),
  gzip(1),
  gzip(6),
]

function zstd(level: number): Codec {
  const params = { [constants.ZSTD_c_compressionLevel]: level }
  return {
    name: `zstd ${level}`,
    compress: (bytes) => zlib.zstdCompressSync(bytes, { params }),
    inflate: (bytes) => zlib.zstdDecompressSync(bytes),
  }
}

function brotli(quality: number): Codec {
  return {
    name: `brotli ${quality}`,
    compress(bytes) {
      const params = {
        [constants.BROTLI_PARAM_QUALITY]: quality,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      }
      return zlib.brotliCompressSync(bytes, { params })
    },
    inflate: (bytes) => zlib.brotliDecompressSync(bytes),
  }
}

function gzip(level: number): Codec {
  return {
    name: `gzip ${level}`,
    compress: (bytes) => zlib.gzipSync(bytes, { level }),
    inflate: (bytes) => zlib.gunzipSync(bytes),
  }
}

/** A list of products as an API would cache it: repeated names, varied values, ids that do not compress. */
function jsonOf(size: number): Buffer {
  let state = 42
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const words = [
    'red',
    'green',
    'blue',
    'steel',
    'wooden',
    'chair',
    'table',
    'lamp',
    'shelf',
    'desk',
    'large',
    'small',
  ]
  const items: unknown[] = []
  for (let length = 2; length < size; length = JSON.stringify(items).length) {
    items.push({
      id: Array.from({ length: 16 }, () => random(16).toString(16)).join(''),
      name: Array.from({ length: 3 }, () => words[random(words.length)]).join(' '),
      price: random(100_000) / 100,
      stock: random(500),
      tags: [words[random(words.length)], words[random(words.length)]],
      updatedAt: new Date(1_767_225_600_000 + random(1e9)).toISOString(),
    })
  }
  return Buffer.from(JSON.stringify(items))
}

/** Microseconds a call, over as many calls as fit in a round. */
function timed(call: () => unknown): number {
  const start = performance.now()
  let calls = 0
  let elapsed = 0
  do {
    call()
    calls++
    elapsed = performance.now() - start
  } while (elapsed < roundTime)
  return (elapsed * 1000) / calls
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!
}

const cells: readonly Cell[] = Object.entries(sizes).flatMap(([size, length]) => {
  const bytes = jsonOf(length)
  return codecs.map((codec) => {
    const packed = codec.compress(bytes)
    if (!codec.inflate(packed).equals(bytes))
      throw new Error(`${codec.name} does not give back what it was given`)
    return { codec, size, bytes, packed, compressTimes: [], inflateTimes: [] }
  })
})

for (let round = 0; round < rounds; round++) {
  // Each round in the other direction, so that a drift of the machine favours no codec.
  for (const { codec, bytes, packed, compressTimes, inflateTimes } of round % 2 === 0
    ? cells
    : cells.toReversed()) {
    compressTimes.push(timed(() => codec.compress(bytes)))
    inflateTimes.push(timed(() => codec.inflate(packed)))
  }
}

console.log(
  `Node ${process.version}, ${process.arch}, ${cpus()[0]?.model ?? 'unknown processor'}; medians of ${rounds} rounds\n`,
)
console.log('| size | codec | compress µs | inflate µs | ratio |')
console.log('| --- | --- | --: | --: | --: |')
for (const { size, codec, bytes, packed, compressTimes, inflateTimes } of cells) {
  const ratio = (packed.length / bytes.length).toFixed(2)
  console.log(
    `| ${size} | ${codec.name} | ${median(compressTimes).toFixed(1)} | ${median(inflateTimes).toFixed(1)} | ${ratio} |`,
  )
}
