import { Cache, CacheInterceptor, CacheTTL } from '@holdfast/cache-nestjs'
import { BadRequestException, Controller, Get, Param, Put, Query, UseInterceptors } from '@nestjs/common'
import { Catalogue, type Product } from './catalogue.ts'

@Controller()
export class CatalogueController {
  readonly #catalogue: Catalogue
  readonly #cache: Cache

  constructor(catalogue: Catalogue, cache: Cache) {
    this.#catalogue = catalogue
    this.#cache = cache
  }

  /** Kept as a whole, under its URL; `X-Cache` tells. */
  @Get('products/:id')
  @UseInterceptors(CacheInterceptor)
  @CacheTTL(60_000)
  product(@Param('id') id: string): Promise<Product> {
    return this.#catalogue.find(id)
  }

  @Put('products/:id')
  async setPrice(@Param('id') id: string, @Query('price') price: string): Promise<Product> {
    if (!(Number(price) > 0)) throw new BadRequestException('A price, please.')
    const product = await this.#catalogue.setPrice(id, Number(price))
    await this.#cache.del(`/products/${id}`)
    return product
  }

  @Get('total')
  async total(): Promise<{ total: number; queries: number }> {
    return { total: await this.#catalogue.total(), queries: this.#catalogue.queries }
  }
}
