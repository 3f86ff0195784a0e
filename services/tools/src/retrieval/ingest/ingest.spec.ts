import { afterAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { openOcr, pngOf } from './ocr.adapter.ts'
import { findFiles, readDocuments } from './read-files.ts'

const dir = mkdtempSync(join(tmpdir(), 'baton-ingest-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const file = (name: string, content: string | Buffer): { path: string; id: string } => {
  const path = join(dir, name)
  writeFileSync(path, content)
  return { path, id: name }
}

/** A PDF of one page for each text. */
const pdf = (...pages: readonly string[]): Buffer => {
  const objects = ['<< /Type /Catalog /Pages 2 0 R >>', '']
  const kids: string[] = []
  for (const text of pages) {
    const stream = `BT /F1 12 Tf 72 720 Td (${text}) Tj ET`
    objects.push(`<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`)
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${objects.length} 0 R /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>`,
    )
    kids.push(`${objects.length} 0 R`)
  }
  objects[1] = `<< /Type /Pages /Kids [${kids.join(' ')}] /Count ${kids.length} >>`
  let body = '%PDF-1.4\n'
  const offsets = objects.map((object, at) => {
    const offset = body.length
    body += `${at + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const xref = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  return Buffer.from(
    `${body}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${xref}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF`,
    'latin1',
  )
}

describe('documents of files (C7)', () => {
  it('Markdown: title from front matter or the first heading, the rest of the front matter as fields to filter by', async () => {
    const [one] = await readDocuments(
      file('a.md', '---\ntitle: Refunds\nlang: en\nyear: 2024\ntags: [card, fee]\n---\n# Other\n\nFive days.'),
    )
    expect(one).toMatchObject({ id: 'a.md', title: 'Refunds', meta: { lang: 'en', year: 2024, tags: ['card', 'fee'] } })
    expect(one?.text.trim()).toBe('# Other\n\nFive days.')
    expect(await readDocuments(file('b.md', 'Intro\n\n# Lost cards\n\nFreeze it.'))).toMatchObject([{ title: 'Lost cards' }])
  })

  it('HTML: what a reader sees, headings kept, navigation and scripts left out', async () => {
    const page =
      '<html><head><title>Help &amp; FAQ</title><style>x{}</style></head><body><nav>Home</nav><h1>Cards</h1><p>Freeze <b>it</b>.</p><script>alert(1)</script><ul><li>One</li><li>Two</li></ul><table><tr><td>a</td><td>b</td></tr></table></body></html>'
    const [one] = await readDocuments(file('a.html', page))
    expect(one).toMatchObject({ title: 'Help & FAQ' })
    expect(one?.text).toBe('# Cards\n\nFreeze it.\n\n- One\n- Two\n\na | b')
  })

  it('D1: CSV and JSON lines: a document for each row, other columns to filter by', async () => {
    const rows = await readDocuments(
      file('a.csv', 'ID,Title,text,price,code\n7,Card,"Lost, or stolen",3.5,007\n8,Fee,"Says ""none""",4,008\n'),
    )
    expect(rows).toMatchObject([
      { id: '7', title: 'Card', text: 'Lost, or stolen', meta: { price: 3.5, code: '007' } },
      { id: '8', title: 'Fee', text: 'Says "none"' },
    ])
    const lines = await readDocuments(file('a.jsonl.gz', gzipSync('{"id":"x","content":"text","lang":"en"}\n\n{"name":"n","n":1}\n')))
    expect(lines).toMatchObject([
      { id: 'x', title: 'x', text: 'text', meta: { lang: 'en' } },
      { id: 'a.jsonl.gz#3', text: 'name: n\nn: 1' },
    ])
  })

  it('D3: a row that cannot be read is told with its line', async () => {
    await expect(readDocuments(file('bad.jsonl', '{"id":"x","text":"y"}\n{"id":'))).rejects.toMatchObject({
      message: expect.stringMatching(/bad\.jsonl:2/),
    })
    await expect(readDocuments(file('bad.csv', 'id,text\n1,"open'))).rejects.toMatchObject({ code: 'request.malformed' })
  })

  it('PDF: the text of its pages; what is no PDF is refused', async () => {
    const [one] = await readDocuments(file('a.pdf', pdf('Refunds take five days.', 'Cards are free of charge.')))
    expect(one?.text).toMatch(/# Page 1\s+Refunds take five days\.\s+# Page 2\s+Cards are free of charge\./)
    expect(one).toMatchObject({ meta: { pages: 2 } })
    await expect(readDocuments(file('bad.pdf', 'nothing of the kind'))).rejects.toMatchObject({ code: 'request.malformed' })
  })

  it('L1: a folder gives what has a reader, and a file that is no text is refused', async () => {
    mkdirSync(join(dir, 'tree', 'sub'), { recursive: true })
    for (const name of ['tree/a.md', 'tree/sub/b.txt', 'tree/c.bin', 'tree/.hidden.md']) writeFileSync(join(dir, name), 'x')
    expect((await findFiles([join(dir, 'tree')])).map(({ id }) => id)).toEqual(['a.md', 'sub/b.txt'])
    await expect(readDocuments(file('c.bin', Buffer.from([1, 0, 2])))).rejects.toMatchObject({ code: 'request.malformed' })
    await expect(findFiles([join(dir, 'none')])).rejects.toMatchObject({ code: 'request.not_found' })
  })

  it('O2: a picture that cannot be read is a fault, and the next one is read', async () => {
    const ocr = await openOcr('a.png')
    const white = { data: new Uint8Array(64 * 64).fill(255), width: 64, height: 64, channels: 1 as const }
    await expect(ocr.read(Buffer.from('no picture at all'))).rejects.toMatchObject({ code: 'request.malformed' })
    expect(await ocr.read(pngOf(white))).toBe('')
    await ocr.close()
  })

  it('a picture without OCR is refused, saying what to install', async () => {
    await expect(readDocuments(file('a.png', Buffer.from('89504e470d0a1a0a', 'hex')))).rejects.toThrow(/tesseract\.js|picture|image/i)
  })
})
