// Check digits of numbers that people are known by. Each takes the bare characters, without separators.

const digitAt = (text: string, at: number): number => text.charCodeAt(at) - 48
const weighted = (text: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, at) => sum + weight * digitAt(text, at), 0)

/** ISO/IEC 7812, payment cards. */
export const luhn = (digits: string): boolean => {
  let sum = 0
  for (let fromEnd = 0; fromEnd < digits.length; fromEnd++) {
    const digit = digitAt(digits, digits.length - 1 - fromEnd)
    const counted = fromEnd % 2 === 1 ? digit * 2 : digit
    sum += counted > 9 ? counted - 9 : counted
  }
  return sum % 10 === 0
}

/** ISO 7064 mod 97-10 over letters and digits, the first four moved to the end: IBAN. */
export const mod97 = (iban: string): boolean => {
  let rest = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

/** German tax id: ISO 7064 mod 11,10; of the first ten digits exactly one stands there twice or three times. */
export const steuerId = (digits: string): boolean => {
  if (!/^\d{11}$/.test(digits)) return false
  const counts = new Map<string, number>()
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1)
  const repeated = [...counts.values()].filter((count) => count > 1)
  if (repeated.length !== 1 || (repeated[0] ?? 0) > 3) return false
  let product = 10
  for (let at = 0; at < 10; at++) {
    const sum = (digitAt(digits, at) + product) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10 === digitAt(digits, 10)
}

/** Number and check digit of a German identity card (ICAO 9303: weights 7, 3, 1; letters from 10). */
export const personalausweis = (characters: string): boolean => {
  if (!/^[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}\d$/.test(characters)) return false
  let sum = 0
  for (let at = 0; at < 9; at++) sum += Number.parseInt(characters.charAt(at), 36) * ([7, 3, 1][at % 3] ?? 0)
  return sum % 10 === digitAt(characters, 9)
}

/** Dutch BSN: the eleven test. */
export const bsn = (digits: string): boolean =>
  /^\d{9}$/.test(digits) && digits !== '000000000' && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0

/** Spanish DNI and NIE: the letter is the number modulo 23. */
export const dni = (characters: string): boolean => {
  const digits = characters.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))
  return 'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(Number(digits) % 23) === characters.at(-1)
}

const ODD_VALUES = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** Italian codice fiscale: values by place, the letter is the sum modulo 26. */
export const codiceFiscale = (characters: string): boolean => {
  let sum = 0
  for (let at = 0; at < 15; at++) {
    const value = Number.parseInt(characters.charAt(at), 36)
    const place = value > 9 ? value - 10 : value
    sum += at % 2 === 0 ? (ODD_VALUES[place] ?? 0) : place
  }
  return String.fromCharCode(65 + (sum % 26)) === characters.at(-1)
}

/** French NIR: 97 minus the number modulo 97; 2A and 2B of Corsica count as 19 and 18. */
export const nir = (characters: string): boolean => {
  const digits = characters.replace('2A', '19').replace('2B', '18')
  return /^\d{15}$/.test(digits) && 97 - (Number(digits.slice(0, 13)) % 97) === Number(digits.slice(13))
}

/** Rules of a US social security number: no area 000, 666, 900 to 999, no group 00, no serial 0000. */
export const ssn = (digits: string): boolean => /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(digits)
