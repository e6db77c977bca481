import {
  AEAD_AES_128_GCM,
  AEAD_AES_256_GCM,
  CipherSuite,
  KDF_HKDF_SHA256,
  KEM_DHKEM_X25519_HKDF_SHA256,
} from 'hpke';
import { describe, expect, it } from 'vitest';
import { utf8 } from './bytes.ts';
import { OpeningError } from './errors.ts';
import { generateHpkeKeyPair, setUpReceiver, setUpSender } from './hpke.ts';
import { hex, importKeyPair, toHex } from './testing/rig.ts';

const info = hex('4f6465206f6e2061204772656369616e2055726e');
const plaintext = utf8('Beauty is truth, truth beauty');

/** RFC 9180, A.1.1, and its suite with AES-256-GCM from the vectors that were published with it. */
const VECTORS = {
  'AES-128-GCM': {
    aeadId: 1,
    skE: '52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736',
    skR: '4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8',
    pkR: '3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d',
    enc: '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431',
    sealed: [
      'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
      'af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84',
      '498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb72516491588d96a19ad4a683518973dcc180',
    ],
    exported: [
      ['', '3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee'],
      ['00', '2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5'],
      ['54657374436f6e74657874', 'e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931'],
    ],
  },
  'AES-256-GCM': {
    aeadId: 2,
    skE: '179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11',
    skR: '497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d',
    pkR: '430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c',
    enc: '6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256',
    sealed: [
      'e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a',
      '2c43aff25343fdbff864506f0818b9d87df84ea01b1a2144d23b4d40c26bf655fdf197fe40297a8aebeed5cc2d',
    ],
    exported: [['', 'ded6cffafaea6b812cbf3e241e88332adbc077aca81512914213810ee291770a']],
  },
} as const;

describe.each(Object.entries(VECTORS))('the published vectors with %s', (_, vector) => {
  it('come out when sealing', async () => {
    const sender = await setUpSender(
      hex(vector.pkR),
      { aeadId: vector.aeadId, info },
      await importKeyPair(vector.skE),
    );
    expect(toHex(sender.enc)).toBe(vector.enc);
    for (const [count, sealed] of vector.sealed.entries())
      expect(toHex(await sender.messages.seal(plaintext, utf8(`Count-${count}`)))).toBe(sealed);
    for (const [context, value] of vector.exported)
      expect(toHex(await sender.export(hex(context), 32))).toBe(value);
  });

  it('open', async () => {
    const pair = await importKeyPair(vector.skR);
    expect(toHex(pair.publicKey)).toBe(vector.pkR);
    const receiver = await setUpReceiver(pair, hex(vector.enc), { aeadId: vector.aeadId, info });
    for (const [count, sealed] of vector.sealed.entries())
      expect(await receiver.messages.open(hex(sealed), utf8(`Count-${count}`))).toEqual(plaintext);
    for (const [context, value] of vector.exported)
      expect(toHex(await receiver.export(hex(context), 32))).toBe(value);
  });
});

describe.each([
  [1, AEAD_AES_128_GCM],
  [2, AEAD_AES_256_GCM],
] as const)('another implementation, with AEAD %i', (aeadId, aead) => {
  const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, aead);
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

  it('opens what we seal, and exports the same secrets', async () => {
    const pair = await suite.GenerateKeyPair();
    const publicKey = new Uint8Array(await suite.SerializePublicKey(pair.publicKey));
    for (const length of [0, 1, 16_384]) {
      const [context, message] = [random(20), random(length)];
      const sender = await setUpSender(publicKey, { aeadId, info: context });
      const receiver = await suite.SetupRecipient(pair, sender.enc, { info: context });
      for (let count = 0; count < 3; count++)
        expect(
          new Uint8Array(await receiver.Open(await sender.messages.seal(message, context), context)),
        ).toEqual(message);
      expect(await sender.export(context, 48)).toEqual(new Uint8Array(await receiver.Export(context, 48)));
    }
  });

  it('seals what we open', async () => {
    const pair = await generateHpkeKeyPair();
    const recipient = await suite.DeserializePublicKey(pair.publicKey);
    const [context, message] = [random(20), random(1000)];
    const { encapsulatedSecret, ctx } = await suite.SetupSender(recipient, { info: context });
    const receiver = await setUpReceiver(pair, new Uint8Array(encapsulatedSecret), { aeadId, info: context });
    for (let count = 0; count < 3; count++) {
      const sealed = new Uint8Array(await ctx.Seal(message, context));
      expect(await receiver.messages.open(sealed, context)).toEqual(message);
    }
  });
});

it('the private half of a key pair cannot be taken out', async () => {
  const { privateKey } = await generateHpkeKeyPair();
  expect(privateKey.extractable).toBe(false);
  await expect(crypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow();
});

it.each([
  ['zeros', '00'.repeat(32)],
  ['one', `01${'00'.repeat(31)}`],
  ['a point of order eight', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ['too short', '09'],
])('a public key that makes everybody know the secret is refused: %s', async (_, key) => {
  const setup = { aeadId: 2, info };
  await expect(setUpSender(hex(key), setup)).rejects.toThrow(OpeningError);
  await expect(setUpReceiver(await generateHpkeKeyPair(), hex(key), setup)).rejects.toThrow(OpeningError);
});
