// PDQ, the perceptual picture hash of 256 bits (Meta, "PDQ and TMK + PDQF", 2019; reference code in ThreatExchange).
#pragma once

#include <array>
#include <cstdint>

#include "ringmatch/kernel.hpp"

namespace ringmatch {

using PdqHash = std::array<std::uint8_t, 32>;        // bit 255 first, as the reference prints it
using PdqCoefficients = std::array<float, 16 * 16>;  // the low frequencies the hash is made of

struct PdqResult {
    PdqCoefficients coefficients;
    int quality;  // 0 to 100; the reference advises against using hashes below 50
};

// How an axis of a picture that was decoded smaller than it is relates to the full picture. A JPEG can be decoded at any
// number of eighths: then pixel j stands for the span from j * 8 / eighths to (j + 1) * 8 / eighths of the full picture.
struct AxisScale {
    std::int64_t full_length;  // pixels
    int eighths;               // 1 to 8; 8 is the full size
    bool mirrored;             // the span that is cut short at the far edge of the file is the first one, not the last
};

constexpr std::int64_t scaled_length(std::int64_t full_length, int eighths) {
    return (full_length * eighths + 7) / 8;
}

// As in the reference, a picture with a side below 5 pixels has quality 0 and coefficients that hash to all zeros.
PdqResult pdq(const PixelView& image);

// The hash of the full picture, from its smaller version: the weights of the full size, gathered onto the pixels there
// are. Hashing the smaller version as a picture of its own would move and widen the windows of the reference.
// image.rows and image.columns must be the scaled_length of the two axes.
PdqResult pdq(const PixelView& image, const AxisScale& rows, const AxisScale& columns);

PdqHash pdq_hash(const PdqCoefficients& coefficients);

// Hashes of the picture as it is, rotated by 90, 180 and 270 degrees, mirrored (flipx, flipy), and transposed along
// both diagonals (flipplus1, flipminus1): the names and the order of the reference.
std::array<PdqHash, 8> pdq_dihedral(const PdqCoefficients& coefficients);

// rgba: count x 4 bytes; rgb: count x 3 bytes, blended over white.
void blend_over_white(const std::uint8_t* rgba, std::int64_t count, std::uint8_t* rgb);

}  // namespace ringmatch
