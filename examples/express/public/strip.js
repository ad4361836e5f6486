const samples = []
const shown = 240

/** Draws the last requests: how long each took, and how it went. */
export function addSample(sample) {
  samples.push(sample)
  if (samples.length > shown) samples.shift()
  draw()
}

function draw() {
  const canvas = document.getElementById('strip')
  const scale = devicePixelRatio
  const { clientWidth: width, clientHeight: height } = canvas
  canvas.width = width * scale
  canvas.height = height * scale
  const context = canvas.getContext('2d')
  context.scale(scale, scale)
  const colours = getComputedStyle(document.documentElement)
  const colour = (name) => {
    context.fillStyle = colours.getPropertyValue(name)
    const probe = document.createElement('i')
    probe.style.color = `var(${name})`
    document.body.append(probe)
    context.fillStyle = getComputedStyle(probe).color
    probe.remove()
  }
  const step = width / shown
  // A logarithmic scale: 1 ms is a tenth of the height, 1,000 ms nearly all of it.
  const tall = (ms) => Math.min(height, (Math.log10(Math.max(ms, 1)) / 3.2) * height * 0.9 + height * 0.1)
  colour('--line')
  for (const ms of [10, 100, 1000]) context.fillRect(0, height - tall(ms), width, 1)
  for (const name of ['--good', '--warn', '--bad']) {
    colour(name)
    for (const [i, sample] of samples.entries()) {
      const own = !sample.isGood ? '--bad' : sample.state === 'healthy' ? '--good' : '--warn'
      if (own === name)
        context.fillRect(
          (shown - samples.length + i) * step,
          height - tall(sample.ms),
          Math.max(1, step - 1),
          tall(sample.ms),
        )
    }
  }
  const failed = samples.filter(({ isGood }) => !isGood).length
  const worst = Math.max(...samples.map(({ ms }) => ms))
  document.getElementById('figures').textContent =
    `last minute: ${samples.length} requests, ${failed} failed, slowest ${worst.toFixed(0)} ms. Lines at 10, 100 and 1,000 ms.`
}
