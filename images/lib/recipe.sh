# What a recipe is, and which built image belongs to it.

# recipe_hash PARTS...: over every file that decides what is in an image, and the architecture.
recipe_hash() {
  (cd "$RECIPES" && architecture && find versions.lock lib/{base,tree,publish}.sh "$@" -type f -print0 | sort -z | xargs -0 sha256sum) |
    sha256sum | cut -d ' ' -f 1
}

image_recipe() { recipe_hash base "$1"; }

# current_image NAME: prints the folder of the image that its present recipe gave, or fails.
current_image() {
  local folder
  folder=$(readlink -e "$OUT/$1/current") || return 1
  [ -f "$folder/rootfs.erofs" ] || return 1
  grep -q "\"dev.microsandbox.recipe\": \"$(image_recipe "$1")\"" "$folder/config.json" 2>/dev/null || return 1
  echo "$folder"
}

# The package names of a list, without its comments, separated by commas or spaces.
packages() { sed -E 's/#.*//; /^\s*$/d' "$RECIPES/$1/packages" | paste -sd "${2:- }"; }
