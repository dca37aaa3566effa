// Jobs as a JSON list on standard input, their results as a JSON list on standard output.
// The packages are looked up in the working directory. Contents travel as base64 of UTF-8.
'use strict'

const load = (name) => require(require.resolve(name, { paths: [process.cwd()] }))
const WXBizMsgCrypt = load('wechat-crypto')
const wecom = load('@wecom/crypto')

const text = (content) => Buffer.from(content, 'base64').toString('utf8')
const wire = (content) => Buffer.from(content, 'utf8').toString('base64')

const libraries = {
  'wechat-crypto': {
    seal: (job) => new WXBizMsgCrypt(job.token, job.key, job.id).encrypt(text(job.content)),
    open: (job) => new WXBizMsgCrypt(job.token, job.key, job.id).decrypt(job.cipher),
    sign: (job, cipher) =>
      new WXBizMsgCrypt(job.token, job.key, job.id).getSignature(job.timestamp, job.nonce, cipher),
  },
  '@wecom/crypto': {
    seal: (job) => wecom.encrypt(job.key, text(job.content), job.id),
    open: (job) => wecom.decrypt(job.key, job.cipher),
    sign: (job, cipher) => wecom.getSignature(job.token, job.timestamp, job.nonce, cipher),
  },
}

function done(job) {
  const library = libraries[job.library]
  if (job.cipher === undefined) {
    const cipher = library.seal(job)
    return { cipher, signature: library.sign(job, cipher) }
  }
  const { message, id } = library.open(job)
  return { content: wire(message), id, signature: library.sign(job, job.cipher) }
}

const jobs = JSON.parse(require('fs').readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(jobs.map(done)))
