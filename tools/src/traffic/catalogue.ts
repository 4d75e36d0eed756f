/** What the shop sells and who buys: enough words that elements look, and compress, like real ones. */
export interface Product {
  readonly sku: string
  readonly title: string
  readonly brand: string
  readonly category: string
  /** Euro cents. */
  readonly priceCents: number
}

const CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  'Shoes/Running': ['Trail Runner', 'Road Racer', 'Daily Trainer', 'Track Spike'],
  'Clothing/Jackets': ['Rain Shell', 'Down Parka', 'Wind Breaker', 'Soft Shell'],
  'Clothing/Shirts': ['Merino Tee', 'Linen Shirt', 'Training Top', 'Long Sleeve'],
  'Outdoor/Camping': ['Two-Person Tent', 'Sleeping Bag', 'Gas Stove', 'Head Torch'],
  'Cycling/Parts': ['Brake Set', 'Chain Ring', 'Handlebar Tape', 'Tubeless Tyre'],
  'Electronics/Watches': ['GPS Watch', 'Heart Rate Belt', 'Bike Computer', 'Altimeter'],
}
const BRANDS = ['Nordfjell', 'Kestrel', 'Orbea', 'Montañá', 'Süderwind', 'Hakone']
const COLOURS = ['Black', 'Ocean Blue', 'Moss Green', 'Ember Red', 'Sand']

export const FIRST_NAMES = 'Anna Ben Chloé Deepak Elif Farid Greta Hugo Ines Jürgen Keiko Luca'
  .concat(' Maja Noor Oskar Priya Quentin Rosa Søren Tariq Ulla Vera Wei Yusuf Zoë')
  .split(' ')
export const LAST_NAMES = 'Almeida Bauer Costa Dubois Eriksen Fischer García Horvat Ito Jansen Kaya'
  .concat(' Lindqvist Müller Novak Öztürk Patel Rossi Schmidt Tanaka Weber Zieliński')
  .split(' ')
export const CITIES = ['Berlin', 'Köln', 'Wien', 'Zürich', 'Lyon', 'Porto', 'Kraków', 'Aarhus']
export const CAMPAIGNS = ['spring_sale', 'newsletter_w12', 'retargeting_cart', 'brand_search']
export const PAYMENTS = ['card', 'paypal', 'invoice', 'klarna', 'apple_pay']

/** The whole range: every title in every brand and colour, prices that stay the same. */
export const PRODUCTS: readonly Product[] = Object.entries(CATEGORIES).flatMap(
  ([category, titles], c) =>
    titles.flatMap((title, t) =>
      BRANDS.flatMap((brand, b) =>
        COLOURS.map((colour, i) => ({
          sku: `${category.slice(0, 2).toUpperCase()}-${String(c)}${String(t)}${String(b)}${String(i)}`,
          title: `${brand} ${title} ${colour}`,
          brand,
          category,
          priceCents: 990 + ((c * 7919 + t * 3571 + b * 1013 + i * 97) % 24_000),
        })),
      ),
    ),
)
