import { addSample } from './strip.js'

const $ = (id) => document.getElementById(id)
let state = 'recovering'
/** Whose devices are shown. */
let user = null

/** Asks the server. Throws what it says is wrong, in words for the visitor. */
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

const foundations = {
  false: 'backed by Redis',
  memory: 'on the memory of this process',
  token: 'on its token alone',
  empty: 'empty until Redis is back',
}

function showSession({ name, email, count, runsOn }) {
  $('count').textContent = count
  $('who').textContent = name
    ? ['logged in as', name, email && `(${email})`].filter(Boolean).join(' ')
    : 'not logged in'
  $('runs-on').textContent = foundations[runsOn]
  $('runs-on').dataset.runsOn = runsOn
  $('runs-on').hidden = !name && runsOn !== 'empty'
  for (const id of ['logout', 'change-email', 'devices']) $(id).hidden = !name
  $('login').hidden = Boolean(name)
  if (name !== user) {
    user = name
    $('device-list').replaceChildren()
    void showDevices()
  }
}

function say(text, isError = false) {
  $('message').textContent = text
  $('message').classList.toggle('is-error', isError)
}

/** Does what a button or a form stands for, and shows what came of it. */
async function act(path, { body, done = '' } = {}) {
  try {
    const answer = await ask(path, { method: 'POST', body })
    if ('count' in answer) showSession(answer)
    say(done)
  } catch (error) {
    say(error.message, true)
  }
  await showDevices()
}

function onClick(id, path) {
  $(id).addEventListener('click', () => void act(path))
}

onClick('add', '/count')
onClick('logout', '/logout')
onClick('logout-others', '/logout/others')
onClick('logout-everywhere', '/logout/everywhere')
$('login').addEventListener('submit', (event) => {
  event.preventDefault()
  void act('/login', { body: { name: $('name').value } })
  $('name').value = ''
})
$('change-email').addEventListener('submit', (event) => {
  event.preventDefault()
  void act('/email', { body: { email: $('email').value }, done: 'The e-mail address was changed.' })
})

async function showDevices() {
  if (user === null) return
  const devices = await ask('/devices').catch(() => [])
  // A button that is being used must not be replaced under the finger.
  const list = JSON.stringify(devices)
  if ($('device-list').dataset.list === list && $('device-list').hasChildNodes()) return
  $('device-list').dataset.list = list
  const none = document.createElement('li')
  none.textContent = 'None that this process knows of, while Redis is away.'
  $('device-list').replaceChildren(...(devices.length > 0 ? devices.map(deviceLine) : [none]))
}

function deviceLine({ handle, device, since, isThis }) {
  const line = document.createElement('li')
  const name = document.createElement('span')
  const time = document.createElement('time')
  const started = since ? `since ${new Date(since).toLocaleTimeString()}` : ''
  time.textContent = [started, isThis && 'this one'].filter(Boolean).join(', ')
  name.append(device, time)
  line.append(name)
  if (!isThis) {
    const end = document.createElement('button')
    end.textContent = 'Log out'
    end.addEventListener('click', () => void act('/devices/end', { body: { handle } }))
    line.append(end)
  }
  return line
}

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
  addSample({ ms: performance.now() - began, isGood, state })
}

void showState()
void beat()
setInterval(() => void showState(), 500)
setInterval(() => void beat(), 250)
setInterval(() => void showDevices(), 2_000)
