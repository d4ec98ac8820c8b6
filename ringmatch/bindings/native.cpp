// Arrays in, arrays out, the interpreter lock released around the work, errors translated. No rule is decided here:
// python/ringmatch checks arguments, the core does the rest.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <tuple>
#include <vector>

#include "ringmatch/checksum.hpp"
#include "ringmatch/dispatch.hpp"
#include "ringmatch/exact.hpp"
#include "ringmatch/index.hpp"
#include "ringmatch/pdq.hpp"
#include "ringmatch/permutation.hpp"

namespace nb = nanobind;
using ringmatch::Index;

namespace {

using HashArray = nb::ndarray<const std::uint8_t, nb::shape<-1, 32>, nb::c_contig, nb::device::cpu>;
using IdArray = nb::ndarray<const std::uint64_t, nb::shape<-1>, nb::c_contig, nb::device::cpu>;
using PixelArray = nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

template <class Number>
nb::object numpy_array(std::unique_ptr<Number[]> numbers, std::size_t count) {
    Number* data = numbers.release();
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<Number*>(p); });
    return nb::ndarray<nb::numpy, Number, nb::ndim<1>>(data, {count}, owner).cast();
}

ringmatch::Plan plan_named(const std::string& name) {
    if (name == "automatic") return ringmatch::Plan::automatic;
    if (name == "per_query") return ringmatch::Plan::per_query;
    if (name == "join") return ringmatch::Plan::join;
    throw nb::value_error("plan is automatic, per_query or join");
}

// None when nothing was found: making three empty arrays would take longer than most of a search.
nb::object search(const Index& index, HashArray queries, int max_distance, int threads, const std::string& plan_name) {
    const ringmatch::Plan plan = plan_named(plan_name);
    std::unique_ptr<std::uint32_t[]> query;
    std::unique_ptr<std::uint64_t[]> id;
    std::unique_ptr<std::uint16_t[]> distance;
    std::size_t found = 0;
    {
        const nb::gil_scoped_release unlocked;
        const auto matches =
            index.search(queries.data(), static_cast<std::uint32_t>(queries.shape(0)), max_distance, threads, plan);
        found = matches.size();
        query = std::make_unique_for_overwrite<std::uint32_t[]>(found);
        id = std::make_unique_for_overwrite<std::uint64_t[]>(found);
        distance = std::make_unique_for_overwrite<std::uint16_t[]>(found);
        for (std::size_t k = 0; k < found; ++k) {
            query[k] = matches[k].query;
            id[k] = matches[k].id;
            distance[k] = static_cast<std::uint16_t>(matches[k].distance);
        }
    }
    if (found == 0) return nb::none();
    return nb::make_tuple(numpy_array(std::move(query), found), numpy_array(std::move(id), found),
                          numpy_array(std::move(distance), found));
}

Index build(HashArray hashes, IdArray ids, int threads, std::uint64_t ring_from, bool compact) {
    const nb::gil_scoped_release unlocked;
    const ringmatch::Form form = compact ? ringmatch::Form::compact : ringmatch::Form::plain;
    return Index::build(hashes.data(), ids.data(), hashes.shape(0), threads, ring_from, form);
}

Index open_index(const std::string& path, int threads) {
    const nb::gil_scoped_release unlocked;
    return Index::open(path, threads);
}

Index load(nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> bytes, int threads) {
    const nb::gil_scoped_release unlocked;
    return Index::load(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), threads);
}

nb::tuple rows(const Index& index, int threads) {
    const std::size_t count = index.counts().ids;
    std::unique_ptr<std::uint8_t[]> hashes;
    std::unique_ptr<std::uint64_t[]> ids;
    {
        const nb::gil_scoped_release unlocked;
        hashes = std::make_unique_for_overwrite<std::uint8_t[]>(count * ringmatch::kHashBytes);
        ids = std::make_unique_for_overwrite<std::uint64_t[]>(count);
        index.copy_rows(hashes.get(), ids.get(), threads);
    }
    return nb::make_tuple(numpy_array(std::move(hashes), count * ringmatch::kHashBytes).attr("reshape")(-1, 32),
                          numpy_array(std::move(ids), count));
}

nb::object count_rows(const Index& index, IdArray wanted) {
    std::unique_ptr<std::uint64_t[]> counts;
    {
        const nb::gil_scoped_release unlocked;
        const std::vector<std::uint64_t> found = index.count_rows(wanted.data(), wanted.size());
        counts = std::make_unique_for_overwrite<std::uint64_t[]>(found.size());
        std::copy(found.begin(), found.end(), counts.get());
    }
    return numpy_array(std::move(counts), wanted.size());
}

nb::object image(nb::object self) {
    Index& index = nb::cast<Index&>(self);
    const std::byte* bytes = nullptr;
    {
        const nb::gil_scoped_release unlocked;
        bytes = index.sealed_image(1);
    }
    // The array keeps the index, and with it the memory, alive.
    return nb::ndarray<nb::numpy, const std::uint8_t, nb::ndim<1>>(bytes, {index.image_bytes()}, self).cast();
}

using DigestArray = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

ringmatch::DigestRows digest_rows(const DigestArray& digests) {
    if (digests.shape(1) < 8) throw nb::value_error("digests have at least 8 bytes");
    return {digests.data(), digests.shape(0), digests.shape(1)};
}

std::uint64_t xxh64_of_array(nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> bytes) {
    const nb::gil_scoped_release unlocked;
    return ringmatch::xxh64(bytes.data(), bytes.size());
}

nb::object digest_order(DigestArray digests, IdArray ids) {
    const ringmatch::DigestRows rows = digest_rows(digests);
    if (ids.size() != rows.count) throw nb::value_error("one id for each digest");
    std::unique_ptr<std::uint64_t[]> order;
    {
        const nb::gil_scoped_release unlocked;
        const std::vector<std::uint64_t> ascending = ringmatch::ascending_order(rows, ids.data());
        order = std::make_unique_for_overwrite<std::uint64_t[]>(ascending.size());
        std::copy(ascending.begin(), ascending.end(), order.get());
    }
    return numpy_array(std::move(order), rows.count);
}

bool digests_are_ascending(DigestArray digests) {
    const nb::gil_scoped_release unlocked;
    return ringmatch::is_ascending(digest_rows(digests));
}

nb::tuple digest_ranges(DigestArray digests, DigestArray queries) {
    const ringmatch::DigestRows rows = digest_rows(digests), wanted = digest_rows(queries);
    if (rows.width != wanted.width) throw nb::value_error("digests and queries have the same length");
    auto first = std::make_unique_for_overwrite<std::uint64_t[]>(wanted.count);
    auto last = std::make_unique_for_overwrite<std::uint64_t[]>(wanted.count);
    {
        const nb::gil_scoped_release unlocked;
        for (std::uint64_t k = 0; k < wanted.count; ++k) {
            std::tie(first[k], last[k]) = ringmatch::equal_range(rows, wanted.row(k));
        }
    }
    return nb::make_tuple(numpy_array(std::move(first), wanted.count), numpy_array(std::move(last), wanted.count));
}

nb::bytes as_bytes(const ringmatch::PdqHash& hash) { return nb::bytes(hash.data(), hash.size()); }

ringmatch::PdqCoefficients coefficients_from(nb::bytes raw) {
    ringmatch::PdqCoefficients coefficients;
    if (raw.size() != sizeof coefficients) throw nb::value_error("coefficients are 256 floats");
    std::memcpy(coefficients.data(), raw.c_str(), sizeof coefficients);
    return coefficients;
}

// full_rows and full_columns: the size of the picture of which `pixels` is a version of so many eighths; 0 for its own.
nb::tuple pdq(PixelArray pixels, std::int64_t full_rows, std::int64_t full_columns, int eighths, bool mirrored_rows,
              bool mirrored_columns) {
    const auto rows = static_cast<std::int64_t>(pixels.shape(0));
    const auto columns = static_cast<std::int64_t>(pixels.shape(1));
    const auto channels = static_cast<int>(pixels.shape(2));
    if (channels != 1 && channels != 3 && channels != 4) throw nb::value_error("pixels have 1, 3 or 4 channels");
    const ringmatch::AxisScale vertical{full_rows == 0 ? rows : full_rows, eighths, mirrored_rows};
    const ringmatch::AxisScale horizontal{full_columns == 0 ? columns : full_columns, eighths, mirrored_columns};
    const auto fits = [eighths](const ringmatch::AxisScale& scale, std::int64_t length) {
        return eighths >= 1 && eighths <= 8 && scale.full_length > 0 && scale.full_length <= 0x7fffffff &&
               ringmatch::scaled_length(scale.full_length, eighths) == length;
    };
    if (!fits(vertical, rows) || !fits(horizontal, columns)) {
        throw nb::value_error("pixels are not that many eighths of the full size");
    }
    ringmatch::PdqResult result{};
    ringmatch::PdqHash hash{};
    {
        const nb::gil_scoped_release unlocked;
        std::vector<std::uint8_t> blended;
        ringmatch::PixelView view{pixels.data(), rows, columns, columns * channels, channels};
        if (channels == 4) {
            blended.resize(static_cast<std::size_t>(rows * columns * 3));
            ringmatch::blend_over_white(pixels.data(), rows * columns, blended.data());
            view = {blended.data(), rows, columns, columns * 3, 3};
        }
        result = ringmatch::pdq(view, vertical, horizontal);
        hash = ringmatch::pdq_hash(result.coefficients);
    }
    return nb::make_tuple(as_bytes(hash), result.quality,
                          nb::bytes(result.coefficients.data(), sizeof result.coefficients));
}

nb::tuple pdq_dihedral(nb::bytes coefficients) {
    const auto hashes = ringmatch::pdq_dihedral(coefficients_from(coefficients));
    nb::list out;
    for (const auto& hash : hashes) out.append(as_bytes(hash));
    return nb::tuple(out);
}

// Where an index keeps each bit of a hash, so that tests can aim at its tables.
std::vector<unsigned> stored_bit_order() {
    std::vector<unsigned> order;
    for (unsigned bit = 0; bit < 256; ++bit) {
        std::uint8_t hash[32] = {};
        hash[bit / 8] = static_cast<std::uint8_t>(1u << (bit % 8));
        const ringmatch::HashWords words = ringmatch::permute(hash);
        for (unsigned word = 0; word < 4; ++word) {
            if (words[word] != 0) order.push_back(64 * word + static_cast<unsigned>(std::countr_zero(words[word])));
        }
    }
    return order;
}

void select_path(const std::string& name) {
    if (!ringmatch::select_path(name)) throw nb::value_error(("no such path on this machine: " + name).c_str());
}

void translate(const std::exception_ptr& pointer, void*) {
    try {
        std::rethrow_exception(pointer);
    } catch (const ringmatch::DamagedImage& error) {
        nb::object type = nb::module_::import_("ringmatch.errors").attr("DamagedIndex");
        PyErr_SetString(type.ptr(), error.what());
    } catch (const std::system_error& error) {
        errno = error.code().value();
        PyErr_SetFromErrno(PyExc_OSError);
    }
}

}  // namespace

NB_MODULE(_native, m) {
    nb::register_exception_translator(translate, nullptr);

    nb::class_<Index>(m, "NativeIndex")
        .def_static("build", build, nb::arg("hashes"), nb::arg("ids"), nb::arg("threads"),
                    nb::arg("ring_from") = ringmatch::kRingFromEntries, nb::arg("compact") = false)
        .def_static("open", open_index, nb::arg("path"), nb::arg("threads"))
        .def_static("load", load, nb::arg("image"), nb::arg("threads"))
        .def("rows", rows, nb::arg("threads"))
        .def("count_rows", count_rows, nb::arg("wanted"))
        .def("search", search, nb::arg("queries"), nb::arg("max_distance"), nb::arg("threads"),
             nb::arg("plan") = "automatic")
        .def("image", [](nb::object self) { return image(std::move(self)); })
        .def_prop_ro("id_count", [](const Index& index) { return index.counts().ids; })
        .def_prop_ro("entry_count", [](const Index& index) { return index.counts().entries; })
        .def_prop_ro("compact", [](const Index& index) { return index.counts().form == ringmatch::Form::compact; })
        .def_prop_ro("size_bytes", [](const Index& index) { return index.image_bytes(); });

    m.def("pdq", pdq, nb::arg("pixels"), nb::arg("full_rows") = 0, nb::arg("full_columns") = 0, nb::arg("eighths") = 8,
          nb::arg("mirrored_rows") = false, nb::arg("mirrored_columns") = false);
    m.def("pdq_dihedral", pdq_dihedral, nb::arg("coefficients"));
    m.def("available_paths", ringmatch::available_paths);
    m.def("active_path", [] { return std::string(ringmatch::active_kernel().name); });
    m.def("select_path", select_path, nb::arg("name"));
    m.def("stored_bit_order", stored_bit_order);
    m.def("digest_order", digest_order, nb::arg("digests"), nb::arg("ids"));
    m.def("digests_are_ascending", digests_are_ascending, nb::arg("digests"));
    m.def("digest_ranges", digest_ranges, nb::arg("digests"), nb::arg("queries"));
    m.def("xxh64_of_array", xxh64_of_array, nb::arg("data"));
    m.def(
        "xxh64", [](nb::bytes data, std::uint64_t seed) { return ringmatch::xxh64(data.c_str(), data.size(), seed); },
        nb::arg("data"), nb::arg("seed") = 0);
}
