#include "ringmatch/pdq.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <vector>

#include "ringmatch/dispatch.hpp"

namespace ringmatch {
namespace {

constexpr int kSide = 64;
constexpr std::int64_t kSmallestSide = 5;
constexpr std::size_t kSlack = 16;

// The reference blurs each axis twice with a box and then picks one sample per output. For one output the two boxes
// amount to a small tent of weights around that sample, cut off at the edges of the picture.
struct Axis {
    std::vector<std::int32_t> first;
    std::vector<std::int32_t> starts;
    std::vector<float> weights;

    AxisView view() const { return {first.data(), starts.data(), weights.data()}; }
};

Axis make_axis(std::int64_t length) {
    const std::int64_t window = (length + 2 * kSide - 1) / (2 * kSide);
    const std::int64_t half = (window + 2) / 2;
    const auto low = [&](std::int64_t i) { return std::max<std::int64_t>(0, i - (window - half)); };
    const auto high = [&](std::int64_t i) { return std::min(length - 1, i + half - 1); };
    Axis axis;
    axis.starts.push_back(0);
    for (int out = 0; out < kSide; ++out) {
        const auto sample = static_cast<std::int64_t>((out + 0.5) * static_cast<double>(length) / kSide);
        const std::int64_t begin = low(low(sample)), end = high(high(sample)) + 1;
        // Differences first, so that a wide window costs no more than its length.
        std::vector<double> steps(static_cast<std::size_t>(end - begin + 1), 0.0);
        const double outer = 1.0 / static_cast<double>(high(sample) - low(sample) + 1);
        for (std::int64_t j = low(sample); j <= high(sample); ++j) {
            const double inner = outer / static_cast<double>(high(j) - low(j) + 1);
            steps[static_cast<std::size_t>(low(j) - begin)] += inner;
            steps[static_cast<std::size_t>(high(j) + 1 - begin)] -= inner;
        }
        axis.first.push_back(static_cast<std::int32_t>(begin));
        double weight = 0.0;
        for (std::int64_t k = 0; k < end - begin; ++k) {
            weight += steps[static_cast<std::size_t>(k)];
            axis.weights.push_back(static_cast<float>(weight));
        }
        axis.starts.push_back(static_cast<std::int32_t>(axis.weights.size()));
    }
    return axis;
}

// The same weights for a picture of which only some eighths were decoded.
Axis make_scaled_axis(const AxisScale& scale) {
    Axis full = make_axis(scale.full_length);
    if (scale.eighths == 8) return full;
    const std::int64_t length = scaled_length(scale.full_length, scale.eighths);
    // In units of an eighth of a scaled pixel: where full pixel k begins is `shift + k * eighths`.
    const std::int64_t shift = scale.mirrored ? length * 8 - scale.full_length * scale.eighths : 0;
    const auto place = [&](std::int64_t k) { return shift + k * scale.eighths; };
    Axis axis;
    axis.starts.push_back(0);
    for (int out = 0; out < kSide; ++out) {
        const std::int64_t first = full.first[static_cast<std::size_t>(out)];
        const std::int32_t begin = full.starts[static_cast<std::size_t>(out)];
        const std::int32_t count = full.starts[static_cast<std::size_t>(out + 1)] - begin;
        const std::int64_t low = place(first) / 8, high = (place(first + count) + 7) / 8;
        std::vector<double> gathered(static_cast<std::size_t>(high - low), 0.0);
        for (std::int32_t k = 0; k < count; ++k) {
            const double weight = full.weights[static_cast<std::size_t>(begin + k)];
            const std::int64_t from = place(first + k), to = from + scale.eighths;
            // A full pixel is never wider than a scaled one, so it lies in one of them or across two.
            const std::int64_t border = std::min(to, (from / 8 + 1) * 8);
            gathered[static_cast<std::size_t>(from / 8 - low)] +=
                weight * static_cast<double>(border - from) / scale.eighths;
            if (border < to) {
                gathered[static_cast<std::size_t>(from / 8 + 1 - low)] +=
                    weight * static_cast<double>(to - border) / scale.eighths;
            }
        }
        axis.first.push_back(static_cast<std::int32_t>(low));
        for (const double weight : gathered) axis.weights.push_back(static_cast<float>(weight));
        axis.starts.push_back(static_cast<std::int32_t>(axis.weights.size()));
    }
    return axis;
}

// The same weights, those of each output filled up with zeros to a multiple of 16.
Axis filled_up(const Axis& axis) {
    Axis filled{axis.first, {0}, {}};
    for (std::size_t out = 0; out < kSide; ++out) {
        filled.weights.insert(filled.weights.end(), axis.weights.begin() + axis.starts[out],
                              axis.weights.begin() + axis.starts[out + 1]);
        filled.weights.resize((filled.weights.size() + 15) / 16 * 16, 0.0f);
        filled.starts.push_back(static_cast<std::int32_t>(filled.weights.size()));
    }
    return filled;
}

const float* cosine_matrix() {
    static const std::array<float, 16 * kSide> matrix = [] {
        std::array<float, 16 * kSide> m{};
        const auto scale = static_cast<float>(std::sqrt(2.0 / kSide));
        for (int i = 0; i < 16; ++i) {
            for (int j = 0; j < kSide; ++j) {
                m[static_cast<std::size_t>(i * kSide + j)] =
                    static_cast<float>(scale * std::cos(std::numbers::pi / 2.0 / kSide * (i + 1) * (2 * j + 1)));
            }
        }
        return m;
    }();
    return matrix.data();
}

// Steps between neighbours in per cent of the full range, each cut to a whole number as the reference does, so that
// many faint steps do not add up to quality.
int quality_of(const float* image) {
    const auto step = [](float u, float v) { return std::abs(static_cast<int>((u - v) * 100 / 255)); };
    int sum = 0;
    for (int i = 0; i < kSide; ++i) {
        for (int j = 0; j < kSide; ++j) {
            const float here = image[i * kSide + j];
            if (i + 1 < kSide) sum += step(here, image[(i + 1) * kSide + j]);
            if (j + 1 < kSide) sum += step(here, image[i * kSide + j + 1]);
        }
    }
    return std::min(100, sum / 90);
}

}  // namespace

PdqResult pdq(const PixelView& image) { return pdq(image, {image.rows, 8, false}, {image.columns, 8, false}); }

PdqResult pdq(const PixelView& image, const AxisScale& rows, const AxisScale& columns) {
    PdqResult result{};
    if (rows.full_length < kSmallestSide || columns.full_length < kSmallestSide) return result;
    const Axis vertical = make_scaled_axis(rows);
    const Axis horizontal = filled_up(make_scaled_axis(columns));
    std::vector<float> accumulator(static_cast<std::size_t>(image.columns * image.channels) + kSlack);
    std::vector<float> luma(static_cast<std::size_t>(image.columns) + kSlack);
    std::array<float, kSide * kSide> shrunk;
    const Kernel& kernel = active_kernel();
    kernel.pdq_shrink(image, vertical.view(), horizontal.view(), accumulator.data(), luma.data(), shrunk.data());
    kernel.pdq_transform(shrunk.data(), cosine_matrix(), result.coefficients.data());
    result.quality = quality_of(shrunk.data());
    return result;
}

PdqHash pdq_hash(const PdqCoefficients& coefficients) {
    PdqCoefficients sorted = coefficients;
    // The lower of the two middle values, as the reference takes it.
    auto middle = sorted.begin() + 127;
    std::nth_element(sorted.begin(), middle, sorted.end());
    PdqHash hash{};
    for (unsigned k = 0; k < 256; ++k) {
        const unsigned bit = 255 - k;
        if (coefficients[k] > *middle) hash[bit / 8] = static_cast<std::uint8_t>(hash[bit / 8] | (0x80u >> (bit % 8)));
    }
    return hash;
}

std::array<PdqHash, 8> pdq_dihedral(const PdqCoefficients& coefficients) {
    // A mirrored axis negates its odd cosines, and these are the ones at even positions since the constant term is
    // left out. Transposing the picture transposes the coefficients.
    struct Symmetry {
        bool transposes, negates_even_rows, negates_even_columns;
    };
    constexpr Symmetry symmetries[8] = {
        {false, false, false},  // original
        {true, false, true},    // rotate 90
        {false, true, true},    // rotate 180
        {true, true, false},    // rotate 270
        {false, true, false},   // flipx
        {false, false, true},   // flipy
        {true, false, false},   // flipplus1
        {true, true, true},     // flipminus1
    };
    std::array<PdqHash, 8> hashes;
    for (unsigned s = 0; s < 8; ++s) {
        const Symmetry& symmetry = symmetries[s];
        PdqCoefficients changed;
        for (unsigned i = 0; i < 16; ++i) {
            for (unsigned j = 0; j < 16; ++j) {
                const bool negative =
                    (symmetry.negates_even_rows && i % 2 == 0) != (symmetry.negates_even_columns && j % 2 == 0);
                const float value = coefficients[i * 16 + j];
                changed[symmetry.transposes ? j * 16 + i : i * 16 + j] = negative ? -value : value;
            }
        }
        hashes[s] = pdq_hash(changed);
    }
    return hashes;
}

void blend_over_white(const std::uint8_t* rgba, std::int64_t count, std::uint8_t* rgb) {
    for (std::int64_t k = 0; k < count; ++k) {
        const unsigned alpha = rgba[4 * k + 3];
        for (int channel = 0; channel < 3; ++channel) {
            const unsigned blended = rgba[4 * k + channel] * alpha + 255 * (255 - alpha);
            rgb[3 * k + channel] = static_cast<std::uint8_t>((blended + 127) / 255);
        }
    }
}

}  // namespace ringmatch
