const $ = (id) => document.getElementById(id)
const samples = []
const shown = 240
let state = 'recovering'

/** Asks the server; gives the answer, and notes how long it took where it is the session that is asked. */
async function ask(path, { method = 'GET', body } = {}) {
  const response = await fetch(path, {
    method,
    headers: body ? { 'content-type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error ?? String(response.status))
  return answer
}

function showSession({ name, count }) {
  $('count').textContent = count
  $('who').textContent = name ? `logged in as ${name}` : 'not logged in'
  $('logout').hidden = !name
  $('login').hidden = Boolean(name)
}

async function act(path, options) {
  try {
    showSession(await ask(path, { method: 'POST', ...options }))
  } catch (error) {
    $('who').textContent = error.message
  }
}

$('add').addEventListener('click', () => void act('/count'))
$('logout').addEventListener('click', () => void act('/logout'))
$('login').addEventListener('submit', (event) => {
  event.preventDefault()
  void act('/login', { body: { name: $('name').value } })
  $('name').value = ''
})
$('actions').addEventListener('click', ({ target }) => {
  if (target.dataset.action) void press(target)
})

async function press(target) {
  const { action } = target.dataset
  target.disabled = true
  await ask(`/redis/${action}`, { method: 'POST' }).catch(() => {})
  target.disabled = false
}

const sources = {
  nothing: 'Redis',
  writes: 'Redis, with writes kept here',
  everything: 'this process’ memory',
}

async function showState() {
  try {
    const health = await ask('/state')
    state = health.state
    $('state-text').textContent = state
    $('redis').textContent = `Sessions are kept in ${health.redis.description}.`
    $('actions').hidden = !health.redis.isBreakable
    $('source').textContent = health.backend === 'memory' ? 'memory' : sources[health.degraded]
    $('fault').textContent = health.fault
      ? [health.fault.code, health.fault.hint].filter(Boolean).join(': ')
      : '–'
    $('journal').textContent =
      health.memory.journal === 1 ? '1 decision' : `${health.memory.journal} decisions`
    $('outages').textContent = health.counts.outages
    if (health.log.length > 0) $('log').replaceChildren(...health.log.map(logLine))
  } catch {
    state = 'unreachable'
    $('state-text').textContent = 'the demo itself has stopped'
  }
  $('state').dataset.state = state
}

function logLine({ at, text }) {
  const line = document.createElement('li')
  const time = document.createElement('time')
  time.textContent = new Date(at).toLocaleTimeString()
  line.append(time, text)
  return line
}

async function beat() {
  const began = performance.now()
  let isGood = true
  try {
    showSession(await ask('/me'))
  } catch {
    isGood = false
  }
  samples.push({ ms: performance.now() - began, isGood, state })
  if (samples.length > shown) samples.shift()
  draw()
}

function draw() {
  const canvas = $('strip')
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
  $('figures').textContent =
    `last minute: ${samples.length} requests, ${failed} failed, slowest ${worst.toFixed(0)} ms. Lines at 10, 100 and 1,000 ms.`
}

void showState()
void beat()
setInterval(() => void showState(), 500)
setInterval(() => void beat(), 250)
