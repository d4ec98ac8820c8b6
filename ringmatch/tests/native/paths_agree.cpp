// Compares every path of this machine with a scan written the obvious way: all thresholds, both forms and plans, data
// spread evenly and aimed at the tables. Prints its seed; 0 when all agree.
//
// A program without Python, so that it runs where only the core can be built, an emulated processor for one:
// make arm64
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "ringmatch/dispatch.hpp"
#include "ringmatch/index.hpp"
#include "ringmatch/pdq.hpp"

namespace {

using Hash = std::array<std::uint8_t, ringmatch::kHashBytes>;
using ringmatch::Match;

Hash random_hash(std::mt19937_64& random) {
    Hash hash;
    for (std::uint8_t& byte : hash) byte = static_cast<std::uint8_t>(random());
    return hash;
}

Hash changed(Hash hash, unsigned bits, std::mt19937_64& random) {
    for (unsigned k = 0; k < bits; ++k) {
        const std::uint64_t bit = random() % 256;
        hash[bit / 8] = static_cast<std::uint8_t>(hash[bit / 8] ^ (1u << (bit % 8)));
    }
    return hash;
}

enum class Spread { even, clusters, few_values, equal };

std::vector<Hash> make_list(Spread spread, std::size_t count, std::mt19937_64& random) {
    std::vector<Hash> centres(spread == Spread::equal ? 1 : 7);
    for (Hash& centre : centres) centre = random_hash(random);
    std::vector<Hash> hashes(count);
    for (Hash& hash : hashes) {
        const Hash& centre = centres[random() % centres.size()];
        switch (spread) {
            case Spread::even:
                hash = random_hash(random);
                break;
            case Spread::clusters:
                hash = changed(centre, static_cast<unsigned>(random() % 45), random);
                break;
            case Spread::few_values:
                // Whole 16-bit blocks from few values: crowded keys, whatever the order of the bits.
                hash = centre;
                for (std::size_t block = 0; block < 32; block += 2) {
                    if (random() % 3 == 0) std::memcpy(&hash[block], &centres[random() % 7][block], 2);
                }
                break;
            case Spread::equal:
                hash = centre;
                break;
        }
    }
    return hashes;
}

std::uint32_t distance(const Hash& a, const Hash& b) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        bits += static_cast<std::uint32_t>(std::popcount(static_cast<std::uint8_t>(a[k] ^ b[k])));
    }
    return bits;
}

std::vector<Match> scan(const std::vector<Hash>& hashes, const std::vector<std::uint64_t>& ids,
                        const std::vector<Hash>& queries) {
    std::vector<Match> found;
    for (std::uint32_t query = 0; query < queries.size(); ++query) {
        for (std::size_t k = 0; k < hashes.size(); ++k) {
            const std::uint32_t bits = distance(hashes[k], queries[query]);
            if (bits <= ringmatch::kMaxDistance) found.push_back({query, bits, ids[k]});
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::size_t compared = 0, wrong = 0;

void compare(const ringmatch::Index& index, const std::vector<Hash>& queries, const std::vector<Match>& widest,
             const std::string& name) {
    for (int max_distance = 0; max_distance <= ringmatch::kMaxDistance; ++max_distance) {
        std::vector<Match> expected;
        for (const Match& match : widest) {
            if (match.distance <= static_cast<std::uint32_t>(max_distance)) expected.push_back(match);
        }
        for (const ringmatch::Plan plan : {ringmatch::Plan::per_query, ringmatch::Plan::join}) {
            // A single query takes another way through a list without tables than a batch. A join goes through all keys.
            const bool join = plan == ringmatch::Plan::join;
            if (join && max_distance % 16 != 0 && max_distance % 8 != 7) continue;
            for (const std::uint32_t batch : {1u, static_cast<std::uint32_t>(queries.size())}) {
                if (join && batch == 1) continue;
                std::vector<Match> found;
                for (std::uint32_t first = 0; first < queries.size(); first += batch) {
                    for (Match match : index.search(queries[first].data(), batch, max_distance, 1, plan)) {
                        match.query += first;
                        found.push_back(match);
                    }
                }
                ++compared;
                if (found == expected) continue;
                ++wrong;
                std::printf("WRONG %s, distance %d, batch %u: %zu pairs instead of %zu\n", name.c_str(), max_distance,
                            batch, found.size(), expected.size());
            }
        }
    }
}

// The hash of one generated picture must be the same on all paths, to the bit.
void compare_hashing(std::mt19937_64& random) {
    std::vector<std::uint8_t> pixels(211 * 307 * 3);
    for (std::uint8_t& sample : pixels) sample = static_cast<std::uint8_t>(random());
    std::vector<ringmatch::PdqHash> hashes;
    for (const std::string& path : ringmatch::available_paths()) {
        ringmatch::select_path(path);
        for (const int channels : {1, 3}) {
            const ringmatch::PixelView view{pixels.data(), 211, 307, std::int64_t{307} * channels, channels};
            hashes.push_back(ringmatch::pdq_hash(ringmatch::pdq(view).coefficients));
        }
        ++compared;
        if (std::equal(hashes.end() - 2, hashes.end(), hashes.begin())) continue;
        ++wrong;
        std::printf("WRONG hash of a picture on path %s\n", path.c_str());
    }
}

}  // namespace

int main(int argument_count, char** arguments) {
    const std::uint64_t seed = argument_count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 7;
    std::mt19937_64 random(seed);
    std::string paths;
    for (const std::string& path : ringmatch::available_paths()) paths += " " + path;
    std::printf("seed %llu; paths:%s\n", static_cast<unsigned long long>(seed), paths.c_str());
    for (const Spread spread : {Spread::even, Spread::clusters, Spread::few_values, Spread::equal}) {
        for (const std::size_t size : {1u, 2u, 63u, 64u, 65u, 1000u, 5000u}) {
            const std::vector<Hash> hashes = make_list(spread, size, random);
            std::vector<std::uint64_t> ids(size);
            for (std::uint64_t& id : ids) id = random() >> (size % 2 == 0 ? 0 : 45);
            std::vector<Hash> queries(12);
            for (Hash& query : queries) query = changed(hashes[random() % size], random() % 40, random);
            const std::vector<Match> expected = scan(hashes, ids, queries);
            for (const ringmatch::Form form : {ringmatch::Form::plain, ringmatch::Form::compact}) {
                for (const std::uint64_t ring_from : {std::uint64_t{0}, ~std::uint64_t{0}}) {
                    const ringmatch::Index index =
                        ringmatch::Index::build(hashes[0].data(), ids.data(), size, 1, ring_from, form);
                    for (const std::string& path : ringmatch::available_paths()) {
                        ringmatch::select_path(path);
                        compare(index, queries, expected,
                                path + ", " + std::to_string(size) + " hashes, spread " +
                                    std::to_string(static_cast<int>(spread)) + ", form " +
                                    std::to_string(static_cast<int>(form)) + (ring_from == 0 ? ", tables" : ", scan"));
                    }
                }
            }
        }
    }
    compare_hashing(random);
    std::printf("%zu comparisons, %zu wrong\n", compared, wrong);
    return wrong == 0 ? 0 : 1;
}
