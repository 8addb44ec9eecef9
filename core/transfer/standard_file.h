// Layers in the form of a MoE class on disk, between the fit and the files of a format.
#pragma once

#include <filesystem>

#include "model/standard_moe.h"

namespace ladimo {

/// Writes one layer, in fp32. Throws Error when the disk is full.
void save_standard_moe(const std::filesystem::path& path, const StandardMoe& layer);
/// Reads it. Precondition: save_standard_moe() wrote the file.
StandardMoe load_standard_moe(const std::filesystem::path& path, at::Device device);

}  // namespace ladimo
