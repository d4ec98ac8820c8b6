// Fingerprints of pictures (PDQ) and videos (MD5), made on this device. This file runs as a worker that only the page which
// chooses files starts. It opens no connection and keeps nothing: a file comes in, a fingerprint goes back to the page.
//
// PDQ: the picture is shrunk to 64 x 64 in shades of grey (two boxes a side amount to one small tent of weights), then comes a
// cosine transform, of which 16 x 16 values are kept, and each of them says one bit: above the middle value, or not.
// Source: PDQ as in ThreatExchange; the same steps, in the same order of bits, as ringmatch/src/pdq.cpp.
"use strict";

(() => {
  const SIDE = 64;
  const KEPT = 16;
  const SMALLEST_SIDE = 5;
  const PICTURE_BYTES = 32 * 1024 * 1024;
  const PICTURE_PIXELS = 100_000_000;
  const VIDEO_BYTES = 4 * 1024 * 1024 * 1024;
  // Rows are taken out of a picture in strips: a whole large picture would need its size in memory twice, and some browsers
  // refuse a large canvas.
  const STRIP_PIXELS = 1 << 20;
  const CHUNK_BYTES = 4 * 1024 * 1024;
  // Below this a picture is so plain that its fingerprint would fit many others. Source: PDQ's authors.
  const LEAST_QUALITY = 50;

  class Refused extends Error {
    constructor(state) {
      super(state);
      this.state = state;
    }
  }

  // ---- PDQ -------------------------------------------------------------------------------------------------------------
  // For each of the 64 outputs of a side: where its weights begin, and the weights, which the picture's edges cut off.
  function tents(length) {
    const box = Math.floor((length + 2 * SIDE - 1) / (2 * SIDE));
    const half = Math.floor((box + 2) / 2);
    const low = (i) => Math.max(0, i - (box - half));
    const high = (i) => Math.min(length - 1, i + half - 1);
    const first = new Int32Array(SIDE);
    const starts = new Int32Array(SIDE + 1);
    const weights = [];
    for (let out = 0; out < SIDE; out += 1) {
      const sample = Math.floor(((out + 0.5) * length) / SIDE);
      const begin = low(low(sample));
      const end = high(high(sample)) + 1;
      const sums = new Float64Array(end - begin);
      const outer = 1 / (high(sample) - low(sample) + 1);
      for (let j = low(sample); j <= high(sample); j += 1) {
        const inner = outer / (high(j) - low(j) + 1);
        for (let k = low(j); k <= high(j); k += 1) sums[k - begin] += inner;
      }
      first[out] = begin;
      weights.push(...sums);
      starts[out + 1] = weights.length;
    }
    return { first, starts, weights: Float64Array.from(weights) };
  }

  // Adds `rows` rows of red, green, blue, alpha, the first of which is row `top` of the picture, to the 64 x 64 sums.
  function addRows(pixels, width, rows, top, across, down, line, sums) {
    const { first, starts, weights } = across;
    for (let row = 0; row < rows; row += 1) {
      const y = top + row;
      let used = false;
      for (let out = 0; out < SIDE; out += 1) {
        const k = y - down.first[out];
        if (k < 0 || k >= down.starts[out + 1] - down.starts[out]) continue;
        if (!used) {
          used = true;
          const base = row * width * 4;
          for (let column = 0; column < SIDE; column += 1) {
            let red = 0;
            let green = 0;
            let blue = 0;
            let at = base + first[column] * 4;
            for (let w = starts[column]; w < starts[column + 1]; w += 1, at += 4) {
              const weight = weights[w];
              red += weight * pixels[at];
              green += weight * pixels[at + 1];
              blue += weight * pixels[at + 2];
            }
            line[column] = 0.299 * red + 0.587 * green + 0.114 * blue;
          }
        }
        const weight = down.weights[down.starts[out] + k];
        const place = out * SIDE;
        for (let column = 0; column < SIDE; column += 1) sums[place + column] += weight * line[column];
      }
    }
  }

  const COSINES = (() => {
    const matrix = new Float64Array(KEPT * SIDE);
    const scale = Math.sqrt(2 / SIDE);
    for (let i = 0; i < KEPT; i += 1) {
      for (let j = 0; j < SIDE; j += 1) {
        matrix[i * SIDE + j] = scale * Math.cos((Math.PI / 2 / SIDE) * (i + 1) * (2 * j + 1));
      }
    }
    return matrix;
  })();

  function transformed(small) {
    const half = new Float64Array(KEPT * SIDE);
    for (let i = 0; i < KEPT; i += 1) {
      for (let k = 0; k < SIDE; k += 1) {
        const cosine = COSINES[i * SIDE + k];
        for (let j = 0; j < SIDE; j += 1) half[i * SIDE + j] += cosine * small[k * SIDE + j];
      }
    }
    const values = new Float64Array(KEPT * KEPT);
    for (let i = 0; i < KEPT; i += 1) {
      for (let j = 0; j < KEPT; j += 1) {
        let sum = 0;
        for (let k = 0; k < SIDE; k += 1) sum += half[i * SIDE + k] * COSINES[j * SIDE + k];
        values[i * KEPT + j] = sum;
      }
    }
    return values;
  }

  function hashOf(values) {
    const middle = Float64Array.from(values).sort()[KEPT * KEPT / 2 - 1];
    const bytes = new Uint8Array(32);
    for (let k = 0; k < KEPT * KEPT; k += 1) {
      const bit = KEPT * KEPT - 1 - k;
      if (values[k] > middle) bytes[bit >> 3] |= 0x80 >> (bit & 7);
    }
    return bytes;
  }

  function qualityOf(small) {
    const step = (u, v) => Math.abs(Math.trunc(((u - v) * 100) / 255));
    let sum = 0;
    for (let i = 0; i < SIDE; i += 1) {
      for (let j = 0; j < SIDE; j += 1) {
        const here = small[i * SIDE + j];
        if (i + 1 < SIDE) sum += step(here, small[(i + 1) * SIDE + j]);
        if (j + 1 < SIDE) sum += step(here, small[i * SIDE + j + 1]);
      }
    }
    return Math.min(100, Math.floor(sum / 90));
  }

  function pdqOfBitmap(bitmap, orientation) {
    const isTurned = orientation > 4;
    const [width, height] = isTurned ? [bitmap.height, bitmap.width] : [bitmap.width, bitmap.height];
    if (width * height > PICTURE_PIXELS) throw new Refused("too_big");
    if (width < SMALLEST_SIDE || height < SMALLEST_SIDE) throw new Refused("too_plain");
    const across = tents(width);
    const down = tents(height);
    const sums = new Float64Array(SIDE * SIDE);
    const line = new Float64Array(SIDE);
    const stripRows = Math.min(height, Math.max(1, Math.floor(STRIP_PIXELS / width)));
    const canvas = new OffscreenCanvas(width, stripRows);
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    const [a, b, c, d, left, up] = TURN_OF_ORIENTATION[orientation](width, height);
    for (let top = 0; top < height; top += stripRows) {
      const rows = Math.min(stripRows, height - top);
      // What shines through lies over white.
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = "#fff";
      context.fillRect(0, 0, width, rows);
      context.setTransform(a, b, c, d, left, up - top);
      context.drawImage(bitmap, 0, 0);
      addRows(context.getImageData(0, 0, width, rows).data, width, rows, top, across, down, line, sums);
    }
    return { hash: hashOf(transformed(sums)), quality: qualityOf(sums) };
  }

  // How the picture is held (EXIF, 1 to 8): a canvas transform from stored to shown, whose size is width x height.
  const TURN_OF_ORIENTATION = [
    null,
    () => [1, 0, 0, 1, 0, 0],
    (width) => [-1, 0, 0, 1, width, 0],
    (width, height) => [-1, 0, 0, -1, width, height],
    (width, height) => [1, 0, 0, -1, 0, height],
    () => [0, 1, 1, 0, 0, 0],
    (width) => [0, 1, -1, 0, width, 0],
    (width, height) => [0, -1, -1, 0, width, height],
    (width, height) => [0, -1, 1, 0, 0, height],
  ];

  // Browsers turn a JPEG or PNG themselves and leave a WebP as it lies: its EXIF is read here. Anything odd counts as upright.
  async function orientationOfWebp(file) {
    try {
      const view = new DataView(await file.arrayBuffer());
      const word = (at) => String.fromCharCode(...new Uint8Array(view.buffer, at, 4));
      let at = 12;
      while (word(at) !== "EXIF") at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) & 1);
      const tiff = at + 8 + (word(at + 8) === "Exif" ? 6 : 0);
      const isLittle = view.getUint16(tiff) === 0x4949;
      const directory = tiff + view.getUint32(tiff + 4, isLittle);
      for (let entry = 0; entry < view.getUint16(directory, isLittle); entry += 1) {
        const place = directory + 2 + entry * 12;
        const value = view.getUint16(place + 8, isLittle);
        if (view.getUint16(place, isLittle) === 0x0112 && value >= 1 && value <= 8) return value;
      }
    } catch {
      // It has none, or ends too early.
    }
    return 1;
  }

  async function pdq(file, isWebp) {
    if (file.size > PICTURE_BYTES) throw new Refused("too_big");
    const orientation = isWebp ? await orientationOfWebp(file) : 1;
    let bitmap;
    try {
      // Without the browser's correction of colours, which other programs that make this fingerprint do not have either.
      bitmap = await createImageBitmap(file, {
        imageOrientation: isWebp ? "none" : "from-image",
        colorSpaceConversion: "none",
      });
    } catch {
      throw new Refused("unreadable");
    }
    try {
      return pdqOfBitmap(bitmap, orientation);
    } finally {
      bitmap.close();
    }
  }

  // ---- MD5 (RFC 1321), of files of any size, a piece at a time -----------------------------------------------------------
  const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));
  const TURNS = Int32Array.from({ length: 64 }, (_, i) => SHIFTS[(i >> 4) * 4 + (i & 3)]);
  const WORDS = Int32Array.from({ length: 64 }, (_, i) => [i, 5 * i + 1, 3 * i + 5, 7 * i][i >> 4] & 15);

  function addBlocks(state, words, blocks) {
    let [a0, b0, c0, d0] = state;
    for (let block = 0; block < blocks; block += 1) {
      const base = block * 16;
      let a = a0;
      let b = b0;
      let c = c0;
      let d = d0;
      for (let i = 0; i < 64; i += 1) {
        let f;
        if (i < 16) f = (b & c) | (~b & d);
        else if (i < 32) f = (d & b) | (~d & c);
        else if (i < 48) f = b ^ c ^ d;
        else f = c ^ (b | ~d);
        const sum = (a + f + SINES[i] + words[base + WORDS[i]]) | 0;
        const turn = TURNS[i];
        a = d;
        d = c;
        c = b;
        b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0;
      }
      a0 = (a0 + a) | 0;
      b0 = (b0 + b) | 0;
      c0 = (c0 + c) | 0;
      d0 = (d0 + d) | 0;
    }
    state.set([a0, b0, c0, d0]);
  }

  async function md5(file, tell) {
    if (file.size > VIDEO_BYTES) throw new Refused("too_big");
    const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
    let rest = new Uint8Array(0);
    for (let start = 0; start < file.size; start += CHUNK_BYTES) {
      let piece;
      try {
        piece = new Uint8Array(await file.slice(start, start + CHUNK_BYTES).arrayBuffer());
      } catch {
        throw new Refused("unreadable");
      }
      const whole = piece.length >> 6;
      addBlocks(state, wordsOf(piece, whole), whole);
      rest = piece.subarray(whole * 64);
      tell(Math.min(1, (start + CHUNK_BYTES) / file.size));
    }
    const end = new Uint8Array(rest.length < 56 ? 64 : 128);
    end.set(rest);
    end[rest.length] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, (file.size * 8) >>> 0, true);
    view.setUint32(end.length - 4, Math.floor(file.size / 2 ** 29), true);
    addBlocks(state, wordsOf(end, end.length >> 6), end.length >> 6);
    const bytes = new Uint8Array(16);
    state.forEach((word, i) => new DataView(bytes.buffer).setInt32(i * 4, word, true));
    return bytes;
  }

  // Every processor that browsers run on today keeps the low byte of a number first, as MD5 does.
  const wordsOf = (bytes, blocks) => new Int32Array(bytes.buffer, bytes.byteOffset, blocks * 16);

  // ---- what a file is: its first bytes say so, and not its name ----------------------------------------------------------
  const starts = (head, text, at = 0) => [...text].every((letter, i) => head[at + i] === letter.charCodeAt(0));
  const PICTURE_BRANDS = ["avif", "avis", "heic", "heix", "heim", "heis", "hevc", "mif1", "msf1"];

  const VIDEO_STARTS = ["\x1aE\xdf\xa3", "FLV", "0&\xb2u", "\0\0\x01\xba", "\0\0\x01\xb3", "OggS"];
  const VIDEO_BOXES = ["moov", "mdat", "wide", "free", "skip"];

  async function kindOf(file) {
    let head;
    try {
      head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
    } catch {
      throw new Refused("unreadable");
    }
    if (starts(head, "ftyp", 4)) return PICTURE_BRANDS.some((brand) => starts(head, brand, 8)) ? "picture" : "video";
    if (starts(head, "RIFF") && starts(head, "WEBP", 8)) return "webp";
    if (starts(head, "RIFF") && starts(head, "AVI ", 8)) return "video";
    if (VIDEO_STARTS.some((text) => starts(head, text)) || VIDEO_BOXES.some((box) => starts(head, box, 4))) return "video";
    return file.type.startsWith("video/") ? "video" : "picture";
  }

  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

  async function fingerprint(file, tell) {
    if (file.size === 0) throw new Refused("unreadable");
    const kind = await kindOf(file);
    if (kind === "video") return `md5:${hex(await md5(file, tell))}`;
    const { hash, quality } = await pdq(file, kind === "webp");
    if (quality < LEAST_QUALITY) throw new Refused("too_plain");
    return `pdq:${hex(hash)}:${quality}`;
  }

  self.addEventListener("message", async ({ data: { id, file } }) => {
    try {
      const value = await fingerprint(file, (share) => self.postMessage({ id, share }));
      self.postMessage({ id, state: "ready", value });
    } catch (error) {
      self.postMessage({ id, state: error instanceof Refused ? error.state : "unreadable" });
    }
  });
})();
