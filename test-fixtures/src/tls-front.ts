import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { createServer } from 'node:tls'

/** TLS before a server on this machine, as managed Redis has it. */
export interface TlsFront {
  readonly host: '127.0.0.1'
  readonly port: number
  /** What a client has to trust. */
  readonly certificate: string
  close(): Promise<void>
}

/** Ends TLS on a free port and passes on what is in it. */
export async function startTlsFront(target: { readonly port: number }): Promise<TlsFront> {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer({ key, cert: certificate }, (client) => {
    const upstream = connect(target.port, '127.0.0.1')
    for (const [from, to] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => sockets.delete(from))
      from.pipe(to)
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    certificate,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** For tests on loopback, and good for nothing else: everybody has it. Valid until 2126. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXpZdU0lGqvm6WL9e
EFy7XoXko9REW0eqIjbmWLf1D+WhRANCAAQWvqtTmUb9Rua1EashRYbEwGZHCsi8
nQvV1ontXyjlAM7v4w14V4I7FYHsgoZ16RN4Opu6LEBHwKff4/axoIDd
-----END PRIVATE KEY-----
`
const certificate = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUS5MLyEE0tWFQj2y1gowV60XB0wgwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE5MDkwNFoYDzIxMjYxMDI4
MTkwOTA0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQWvqtTmUb9Rua1EashRYbEwGZHCsi8nQvV1ontXyjlAM7v4w14V4I7
FYHsgoZ16RN4Opu6LEBHwKff4/axoIDdo28wbTAdBgNVHQ4EFgQUJEeInNgbT2lk
C2OQG2qHOLjl8HMwHwYDVR0jBBgwFoAUJEeInNgbT2lkC2OQG2qHOLjl8HMwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgM2F1YH8kYMEc1ydwthK2IzuCLQpVj6yDSUPpyx3Tjr4CIQCe
Jw2VPuFPLXsPrEtuZxJwRQB3R7/f28KG1+0i1k4tHQ==
-----END CERTIFICATE-----
`
