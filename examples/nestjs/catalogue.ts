import { Cached, InvalidateTags } from '@holdfast/cache-nestjs'
import { Injectable, NotFoundException } from '@nestjs/common'
import { setTimeout as pause } from 'node:timers/promises'

export interface Product {
  readonly id: string
  readonly name: string
  readonly price: number
}

/** The products, in a database that takes its time. */
@Injectable()
export class Catalogue {
  /** How often the database was asked. */
  queries = 0
  readonly #rows = new Map<string, Product>([
    ['1', { id: '1', name: 'Anchor', price: 120 }],
    ['2', { id: '2', name: 'Buoy', price: 45 }],
    ['3', { id: '3', name: 'Compass', price: 80 }],
  ])

  async find(id: string): Promise<Product> {
    await this.#query()
    const product = this.#rows.get(id)
    if (!product) throw new NotFoundException('There is no such product.')
    return product
  }

  /** One process of the fleet adds up, once, however many ask; until a price changes. */
  @Cached({ ttl: '1m', grace: '10m', tags: ['prices'] })
  async total(): Promise<number> {
    await this.#query()
    return [...this.#rows.values()].reduce((sum, { price }) => sum + price, 0)
  }

  @InvalidateTags('prices')
  async setPrice(id: string, price: number): Promise<Product> {
    const product = { ...(await this.find(id)), price }
    this.#rows.set(id, product)
    return product
  }

  async #query(): Promise<void> {
    this.queries++
    await pause(5)
  }
}
